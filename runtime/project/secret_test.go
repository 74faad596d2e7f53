package project

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestReadCredential(t *testing.T) {
	t.Parallel()
	const token = "1:token-nobody-may-see"
	secret := func(change func(*Secret)) *Secret {
		s := &Secret{
			Namespace: "ns", Name: "bot", Labels: map[string]string{v1alpha1.LabelConnectedAccount: "telegram-bot"},
			Annotations: map[string]string{v1alpha1.AnnotationOwner: "alice"}, Data: map[string][]byte{"token": []byte(token)},
		}
		if change != nil {
			change(s)
		}
		return s
	}
	hook := func(value string) func(*Secret) {
		return func(s *Secret) { s.Data["webhook-secret"] = []byte(value) }
	}
	for name, c := range map[string]struct {
		secret *Secret
		reason string // empty: none
	}{
		"a bot":                     {secret(nil), ""},
		"a newline at the end":      {secret(func(s *Secret) { s.Data["token"] = []byte(token + "\r\n") }), ""},
		"its own webhook secret":    {secret(hook("Abc_-9\n")), ""},
		"an unknown kind":           {secret(func(s *Secret) { s.Labels[v1alpha1.LabelConnectedAccount] = "slack" }), "AccountKind"},
		"no token":                  {secret(func(s *Secret) { delete(s.Data, "token") }), "AccountIncomplete"},
		"a blank token":             {secret(func(s *Secret) { s.Data["token"] = []byte(" \n") }), "AccountIncomplete"},
		"no owner":                  {secret(func(s *Secret) { s.Annotations = nil }), "AccountIncomplete"},
		"an empty webhook secret":   {secret(hook("")), "AccountIncomplete"},
		"a webhook secret too long": {secret(hook(strings.Repeat("a", 257))), "AccountIncomplete"},
		"a webhook secret too odd":  {secret(hook("such a secret!")), "AccountIncomplete"},
		"a GitHub secret": {secret(func(s *Secret) {
			s.Labels[v1alpha1.LabelConnectedAccount], s.Data = "github-webhook", map[string][]byte{"secret": []byte(token)}
		}), ""},
		"a GitHub secret under another key": {secret(func(s *Secret) { s.Labels[v1alpha1.LabelConnectedAccount] = "github-webhook" }), "AccountIncomplete"},
	} {
		got := readCredential(c.secret)
		if got.problem == nil {
			if c.reason != "" || string(got.secret) != token {
				t.Errorf("%s: taken, want %s", name, c.reason)
			}
			continue
		}
		if got.problem.reason != c.reason || strings.Contains(got.problem.message, token) {
			t.Errorf("%s: %s (%s), want %s", name, got.problem.reason, got.problem.message, c.reason)
		}
	}
	for _, text := range []string{fmt.Sprint(secret(nil)), fmt.Sprintf("%#v", secret(nil)), fmt.Sprintf("%+v", secret(nil))} {
		if strings.Contains(text, token) {
			t.Error("printing a Secret shows its data")
		}
	}
}

func TestWhatChangesACredential(t *testing.T) {
	t.Parallel()
	base := credential{kind: "telegram-bot", secret: []byte("a"), webhookSecret: []byte("b")}
	for name, other := range map[string]credential{
		"token":          {kind: "telegram-bot", secret: []byte("x"), webhookSecret: []byte("b")},
		"webhook secret": {kind: "telegram-bot", secret: []byte("a"), webhookSecret: []byte("x")},
		"none any more":  {kind: "telegram-bot", secret: []byte("a")},
		"kind":           {kind: "github-webhook", secret: []byte("a"), webhookSecret: []byte("b")},
	} {
		if string(base.content()) == string(other.content()) {
			t.Errorf("another %s goes unnoticed", name)
		}
	}
	owner := base
	owner.owner = "bob"
	if string(base.content()) != string(owner.content()) {
		t.Error("another owner asks the provider anew")
	}
}

func TestIdentified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		reason string
	}{
		{nil, "AccountProven"},
		{inbox.Errorf(inbox.CodeUnproven, "no"), "TokenRefused"},
		{inbox.Errorf(inbox.CodeUnavailable, "away"), "ProviderUnavailable"},
		{errors.New("something with a secret"), "ProviderUnavailable"},
	} {
		v := identified(c.err, "@bot")
		if v.reason != c.reason || strings.Contains(v.message, "secret") {
			t.Errorf("%v: %s (%s)", c.err, v.reason, v.message)
		}
	}
}
