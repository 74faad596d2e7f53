package postgres

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
)

// What Postgres itself makes of the password "socialops" (psql, version 15).
const madeByPostgres = "SCRAM-SHA-256$4096:lL8ofuur7FeCS/rsHaBWYA==$s/VBK/Ga0C8/NlGQf1grOLDYGNQ2QPjvakkKBv//QUs=:1ley78Uk0FHblvingPxMNddsga39BwNtEbDKhuMkO2E="

func TestScramVerifierIsPostgresOwn(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(madeByPostgres, "$")
	iterations, rest, _ := strings.Cut(rest, ":")
	salt64, _, _ := strings.Cut(rest, "$")
	salt, err := base64.StdEncoding.DecodeString(salt64)
	if n, _ := strconv.Atoi(iterations); err != nil || n != scramIterations {
		t.Fatalf("%s iterations, %v", iterations, err)
	}
	if got, err := scramVerifierWith("socialops", salt); err != nil || got != madeByPostgres {
		t.Errorf("%s, %v", got, err)
	}
}

func TestScramVerifierRefusesWhatNeedsPreparation(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"with blank", "pässword", "line\n", "nul\x00"} {
		if v, err := scramVerifier(password); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %s %v", password, v, err)
		}
	}
}

func TestRoleSettings(t *testing.T) {
	t.Parallel()
	hash := func(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }
	role := inbox.Role{Login: true, Limit: 8}
	with := func(change func(*inbox.Role)) inbox.Role { r := role; change(&r); return r }
	for name, c := range map[string]struct {
		was  *inbox.Role
		want inbox.Role
		sql  string // a verifier cut off
	}{
		"new":              {nil, role, " LOGIN CONNECTION LIMIT 8"},
		"new, password":    {nil, with(func(r *inbox.Role) { r.PasswordPrint = hash("a") }), " LOGIN CONNECTION LIMIT 8 PASSWORD 'SCRAM-SHA-256"},
		"same":             {&role, role, ""},
		"limit":            {&role, with(func(r *inbox.Role) { r.Limit = 16 }), " CONNECTION LIMIT 16"},
		"retired":          {&role, with(func(r *inbox.Role) { r.Login = false }), " NOLOGIN"},
		"first password":   {&role, with(func(r *inbox.Role) { r.PasswordPrint = hash("a") }), " PASSWORD 'SCRAM-SHA-256"},
		"password dropped": {&inbox.Role{Login: true, Limit: 8, PasswordPrint: hash("a")}, role, " PASSWORD NULL"},
	} {
		got, err := roleSettings(c.was, c.want, "password")
		got, _, _ = strings.Cut(got, "$")
		if err != nil || got != c.sql {
			t.Errorf("%s: %q %v, want %q", name, got, err, c.sql)
		}
	}
}
