package project_test

import (
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
)

func TestKeysByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.pass()
	now := w.clock.Now()
	create := func(alias string, n project.NewKey) (string, inbox.Key, error) {
		return project.CreateKey(t.Context(), w.Store, alias, n, now)
	}
	value, made, err := create("support", project.NewKey{Name: "monitoring", Scopes: []string{inbox.ScopeRead}, ExpiresAt: now.Add(time.Hour)})
	if err != nil || !project.ValidKey(value) || made.Hint != value[len(value)-4:] {
		t.Fatalf("%+v %v", made, err)
	}
	if got := w.query("SELECT count(*) FROM api_key WHERE to_jsonb(api_key)::text LIKE '%' || $1 || '%'", value); got != "0" {
		t.Error("the key itself is stored")
	}
	for what, c := range map[string]struct {
		alias string
		n     project.NewKey
		code  inbox.Code
	}{
		"an unknown alias": {"nobody", project.NewKey{Name: "x"}, inbox.CodeNotFound},
		"no name":          {"support", project.NewKey{Name: " "}, inbox.CodeInvalid},
		"a long name":      {"support", project.NewKey{Name: strings.Repeat("x", 64)}, inbox.CodeInvalid},
		"another scope":    {"support", project.NewKey{Name: "x", Scopes: []string{"admin"}}, inbox.CodeInvalid},
		"in the past":      {"support", project.NewKey{Name: "x", ExpiresAt: now}, inbox.CodeInvalid},
	} {
		if _, _, err := create(c.alias, c.n); inbox.CodeOf(err) != c.code {
			t.Errorf("%s: %v", what, err)
		}
	}
	list := func() map[string]inbox.Key {
		keys, err := project.ListKeys(t.Context(), w.Store, "support")
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]inbox.Key{}
		for _, k := range keys {
			out[k.Origin+" "+k.Name] = k
		}
		return out
	}
	w.pass() // which leaves keys made by command alone
	if k, ok := list()["api monitoring"]; !ok || !k.ExpiresAt.Equal(now.Add(time.Hour)) || !k.Valid(now) || len(list()) != 2 {
		t.Errorf("listed: %+v", list())
	}
	for which, code := range map[string]inbox.Code{"nothing": inbox.CodeNotFound, "dev": inbox.CodeConflict} {
		if _, err := project.RevokeKey(t.Context(), w.Store, "support", which, now); inbox.CodeOf(err) != code {
			t.Errorf("%s: %v", which, err)
		}
	}
	if _, err := project.RevokeKey(t.Context(), w.Store, "support", "monitoring", now); err != nil {
		t.Fatal(err)
	}
	if k := list()["api monitoring"]; k.Valid(now) {
		t.Error("a revoked key is valid")
	}
	if _, err := project.RevokeKey(t.Context(), w.Store, "support", made.ID.String(), now); inbox.CodeOf(err) != inbox.CodeNotFound {
		t.Errorf("revoked again: %v", err)
	}
	for range 2 {
		if _, _, err := create("support", project.NewKey{Name: "twin"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := project.RevokeKey(t.Context(), w.Store, "support", "twin", now); inbox.CodeOf(err) != inbox.CodeConflict {
		t.Errorf("one of two by name: %v", err)
	}
	if _, err := project.RevokeKey(t.Context(), w.Store, "support", list()["api twin"].ID.String(), now); err != nil {
		t.Error(err)
	}
}
