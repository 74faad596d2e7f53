package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/inbox"
)

var silent = slog.New(slog.DiscardHandler)

func newLocal(t testing.TB, key []byte, audience string) *identity.Local {
	t.Helper()
	l, err := identity.NewLocal(key, audience)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func sign(t testing.TB, key jose.JSONWebKey, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestLocal(t *testing.T) {
	t.Parallel()
	key := identity.NewLocalKey()
	l := newLocal(t, key, identity.LocalAudience)
	token, issued, err := l.Issue("alice", []string{read, manage})
	if err != nil {
		t.Fatal(err)
	}
	if in := time.Until(issued.Expires); in < 11*time.Hour || in > 12*time.Hour {
		t.Errorf("it is valid for %s", in)
	}
	if diff := cmp.Diff(issued, mustVerify(t, newLocal(t, key, identity.LocalAudience), token)); diff != "" {
		t.Errorf("another process with the same key reads another user:\n%s", diff)
	}
	mustFail(t, newLocal(t, identity.NewLocalKey(), identity.LocalAudience), token, inbox.CodeUnproven, "another key")
	mustFail(t, newLocal(t, key, "other"), token, inbox.CodeUnproven, "audience")
	for _, subject := range []string{"", " alice", "a\nb", strings.Repeat("a", 256)} {
		if _, _, err := l.Issue(subject, nil); inbox.CodeOf(err) != inbox.CodeInvalid {
			t.Errorf("a token for %q: %v", subject, err)
		}
	}
}

func TestLocalKeys(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{nil, []byte("nonsense"), der} {
		if _, err := identity.NewLocal(key, identity.LocalAudience); err == nil {
			t.Errorf("a key of %d bytes is taken", len(key))
		}
	}
}
