package all_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/all"
)

func TestProviders(t *testing.T) {
	t.Parallel()
	registry := all.Providers(all.Options{})
	if diff := cmp.Diff([]string{"generic-webhook", "github", "telegram"}, registry.Names()); diff != "" {
		t.Fatal(diff)
	}
	// What each must hold, whoever sends what.
	for name, p := range registry {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p.Name() != name {
				t.Errorf("is called %q", p.Name())
			}
			r := &provider.Request{Header: http.Header{}}
			unset := []provider.Proof{{}, {Secrets: [][]byte{nil, {}}}, {TokenHashes: [][32]byte{{}}}}
			if _, ok := p.Authenticate(r, unset); ok {
				t.Error("a call without any proof was let in")
			}
			_, err := p.Normalize(r, provider.Proof{})
			if _, ignored := errors.AsType[provider.Ignored](err); err == nil || !ignored && inbox.CodeOf(err) != inbox.CodeInvalid {
				t.Errorf("an empty call is %v, want an error for the sender", err)
			}
		})
	}
}
