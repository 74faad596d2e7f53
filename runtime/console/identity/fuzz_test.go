package identity

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// FuzzVerify: what is not signed is refused as a bad token, whatever it looks like.
func FuzzVerify(f *testing.F) {
	l, err := NewLocal(NewLocalKey(), LocalAudience)
	if err != nil {
		f.Fatal(err)
	}
	token, issued, err := l.Issue("alice", []string{"service:read"})
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(token, ".")
	for _, seed := range []string{
		"", ".", "..", "a.b.c", token, token + ".", token + "=", parts[0] + "." + parts[1] + ".", "." + parts[1] + "." + parts[2],
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2],
		`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		u, err := l.Verify(context.Background(), token)
		switch {
		case err == nil && !reflect.DeepEqual(u, issued):
			t.Errorf("taken, for %+v", u)
		case err != nil && inbox.CodeOf(err) != inbox.CodeUnproven:
			t.Errorf("refused with code %q: %v", inbox.CodeOf(err), err)
		}
	})
}

// FuzzClaims: whoever is signed in has a subject that can own an instance, and an end.
func FuzzClaims(f *testing.F) {
	now := time.Unix(1800000000, 0)
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, `{"iss":"i","aud":"a","sub":"alice","exp":1800000600}`,
		`{"iss":"i","aud":["b","a"],"sub":"alice","exp":1.8000006e9,"nbf":1800000000,"p":"x y","name":"A"}`,
		`{"iss":"i","aud":"a","sub":"\ud800","exp":1e300}`, `{"iss":"i","aud":"a","sub":"alice","exp":1800000600,"p":{"q":["x"]},"p.q":null}`,
	} {
		f.Add([]byte(seed), "p")
		f.Add([]byte(seed), "p.q")
	}
	f.Fuzz(func(t *testing.T, payload []byte, claim string) {
		u, err := verified(payload, expectation{"i", "a", claim}, now)
		if err != nil {
			if inbox.CodeOf(err) != inbox.CodeUnproven {
				t.Errorf("refused with code %q: %v", inbox.CodeOf(err), err)
			}
			return
		}
		if !isSubject(u.Subject) || u.Expires.Before(now.Add(-skew)) || len([]rune(u.Name)) > maxName || len(u.Permissions) > maxPermissions {
			t.Errorf("taken: %+v", u)
		}
	})
}
