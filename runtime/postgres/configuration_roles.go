package postgres

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/open4x/socialops/runtime/inbox"
)

// The groups that grants and policies go to.
const (
	groupRuntime = "socialops_runtime"
	groupWorker  = "socialops_worker"
	groupConsole = "socialops_console"
)

// Role implements [inbox.ConfigurationTx].
func (t *configurationTx) Role(ctx context.Context, name string) (*inbox.Role, error) {
	const state = `
SELECT r.rolcanlogin, r.rolconnlimit, i.instance_id, coalesce(i.password_print, ''),
       coalesce((SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid AND g.rolname IN ('socialops_runtime', 'socialops_worker', 'socialops_console') LIMIT 1), '')
  FROM pg_roles r LEFT JOIN instance_role i ON i.role_name = r.rolname
 WHERE r.rolname = $1`
	role := inbox.Role{Name: name}
	var instance pgtype.UUID
	err := t.tx.QueryRow(ctx, state, name).Scan(&role.Login, &role.Limit, &instance, &role.PasswordPrint, &role.Group)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // what is not there is nil, as the interface says
	}
	if err != nil {
		return nil, fmt.Errorf("reading the role: %w", err)
	}
	role.InstanceID = instance.Bytes
	return &role, nil
}

// PutRole implements [inbox.ConfigurationTx]. It changes only what differs, so that a role
// made by somebody else, as managed databases do it, needs no right over it.
func (t *configurationTx) PutRole(ctx context.Context, was *inbox.Role, want inbox.Role, password string) error {
	settings, err := roleSettings(was, want, password)
	if err != nil {
		return err
	}
	name := pgx.Identifier{want.Name}.Sanitize()
	switch {
	case was == nil:
		// A membership is inherited unless told otherwise; Postgres 15 has no INHERIT clause for it.
		_, err = t.tx.Exec(ctx, "CREATE ROLE "+name+settings+" IN ROLE "+pgx.Identifier{want.Group}.Sanitize())
	case settings != "":
		_, err = t.tx.Exec(ctx, "ALTER ROLE "+name+settings)
	}
	if err != nil {
		return fmt.Errorf("setting up the role: %w", err)
	}
	if was != nil && was.Group != want.Group {
		if _, err := t.tx.Exec(ctx, "GRANT "+pgx.Identifier{want.Group}.Sanitize()+" TO "+name); err != nil {
			return fmt.Errorf("granting membership: %w", err)
		}
	}
	if want.InstanceID.IsZero() || was != nil && was.InstanceID == want.InstanceID && bytes.Equal(was.PasswordPrint, want.PasswordPrint) {
		return nil
	}
	const put = `
INSERT INTO instance_role (role_name, instance_id, password_print) VALUES ($1, $2, $3)
ON CONFLICT (instance_id) DO UPDATE SET role_name = excluded.role_name, password_print = excluded.password_print`
	_, err = t.tx.Exec(ctx, put, want.Name, uid(want.InstanceID), blob(want.PasswordPrint))
	return wrote(err, "the role's instance")
}

// roleSettings is what CREATE or ALTER ROLE has to say.
func roleSettings(was *inbox.Role, want inbox.Role, password string) (string, error) {
	var b strings.Builder
	if was == nil || was.Login != want.Login {
		b.WriteString(map[bool]string{true: " LOGIN", false: " NOLOGIN"}[want.Login])
	}
	if was == nil || was.Limit != want.Limit {
		fmt.Fprintf(&b, " CONNECTION LIMIT %d", want.Limit)
	}
	switch {
	case len(want.PasswordPrint) == 0 && (was == nil || len(was.PasswordPrint) == 0):
	case len(want.PasswordPrint) == 0:
		b.WriteString(" PASSWORD NULL")
	case was == nil || !bytes.Equal(was.PasswordPrint, want.PasswordPrint):
		verifier, err := scramVerifier(password)
		if err != nil {
			return "", err
		}
		b.WriteString(" PASSWORD '" + verifier + "'") // base64, $ and : only
	}
	return b.String(), nil
}

const scramIterations = 4096 // Postgres's own choice; generated passwords need no more

// scramVerifier is what Postgres keeps of a password (RFC 5803). Made here, the
// password itself never stands in a statement, which a server may log.
func scramVerifier(password string) (string, error) {
	for _, c := range []byte(password) {
		if c <= ' ' || c > '~' {
			return "", errors.New("a role's password must be printable ASCII without blanks")
		}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: it aborts the program instead
	return scramVerifierWith(password, salt)
}

func scramVerifierWith(password string, salt []byte) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hashing the role's password: %w", err)
	}
	stored := sha256.Sum256(hmacSHA256(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, b64(salt), b64(stored[:]), b64(hmacSHA256(salted, "Server Key"))), nil
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
