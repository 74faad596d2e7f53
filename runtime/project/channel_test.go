package project

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestDecideChannel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	me, other, bot1, bot2 := inbox.ChannelID{1}, inbox.ChannelID{2}, inbox.AccountID{1}, inbox.AccountID{2}
	here, there := inbox.InstanceID{1}, inbox.InstanceID{2}
	conditions := func(v verdict) []byte { return encode(apply(nil, 0, now, v), nil) }
	proven := conditions(identified(nil, "@bot"))
	telegram := func(change ...func(*facts)) facts {
		f := facts{
			id: me, exists: true, oneWebhook: true,
			binding: &v1alpha1.ChannelBinding{Spec: v1alpha1.ChannelBindingSpec{
				InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderTelegram,
				ConnectedAccountRef: v1alpha1.SecretReference{Name: "bot"}, ChannelName: "Support",
			}},
			instance: &inbox.InstanceRow{Instance: inbox.Instance{ID: here, Owner: "alice", Providers: []string{"telegram", "generic-webhook", "github"}}},
			account:  &inbox.AccountRow{ID: bot1, Kind: "telegram-bot", Owner: "alice", Source: "telegram:1", DisplayName: "@bot", Conditions: proven},
		}
		for _, c := range change {
			c(&f)
		}
		return f
	}
	generic := func(change ...func(*facts)) facts {
		return telegram(append([]func(*facts){func(f *facts) {
			f.binding.Spec.Provider, f.binding.Spec.ConnectedAccountRef, f.account, f.oneWebhook = v1alpha1.ProviderGenericWebhook, v1alpha1.SecretReference{}, nil, false
		}}, change...)...)
	}
	target := func(id string) func(*facts) { return func(f *facts) { f.binding.Spec.ExternalChannelID = id } }
	beside := func(c inbox.Channel) func(*facts) {
		return func(f *facts) {
			if c.Provider == "" {
				c.Provider = string(f.binding.Spec.Provider)
			}
			f.channels = append(f.channels, inbox.ChannelRow{Channel: c})
		}
	}
	account := func(change func(*inbox.AccountRow)) func(*facts) { return func(f *facts) { change(f.account) } }
	holder := func(id inbox.AccountID, instance inbox.InstanceID) func(*facts) {
		return func(f *facts) { f.holder = &inbox.AccountRow{ID: id, WebhookInstance: instance} }
	}
	inactive := false
	for name, c := range map[string]struct {
		facts                    facts
		instance, account, bound string // reasons
		active                   bool
	}{
		"a bot":               {telegram(), "InstanceReady", "AccountProven", "ChannelBound", true},
		"a generic webhook":   {generic(), "InstanceReady", "AccountNotNeeded", "ChannelBound", true},
		"no instance":         {telegram(func(f *facts) { f.instance, f.exists = nil, false }), "InstanceMissing", "AccountProven", "Progressing", false},
		"instance not ready":  {telegram(func(f *facts) { f.instance = nil }), "InstanceNotReady", "AccountProven", "Progressing", false},
		"provider not wanted": {telegram(func(f *facts) { f.instance.Providers = []string{"github"} }), "ProviderNotAllowed", "AccountProven", "Progressing", false},
		"no account":          {telegram(func(f *facts) { f.account = nil }), "InstanceReady", "AccountMissing", "Progressing", false},
		"account removed":     {telegram(account(func(a *inbox.AccountRow) { a.RemovedAt = now })), "InstanceReady", "AccountMissing", "Progressing", false},
		"account of another kind": {
			telegram(account(func(a *inbox.AccountRow) { a.Kind = "github-webhook" })), "InstanceReady", "AccountKind", "Progressing", false,
		},
		"another owner's account": {telegram(account(func(a *inbox.AccountRow) { a.Owner = "bob" })), "InstanceReady", "AccountForeignOwner", "Progressing", false},
		"account not asked yet": {
			telegram(account(func(a *inbox.AccountRow) { a.Conditions, a.Source = nil, "" })), "InstanceReady", "Progressing", "Progressing", false,
		},
		"token refused, never proven": {
			telegram(account(func(a *inbox.AccountRow) {
				a.Conditions, a.Source = conditions(identified(inbox.Errorf(inbox.CodeUnproven, "no"), "")), ""
			})), "InstanceReady", "TokenRefused", "Progressing", false,
		},
		"token refused, once proven": {
			telegram(account(func(a *inbox.AccountRow) {
				a.Conditions = conditions(identified(inbox.Errorf(inbox.CodeUnproven, "no"), ""))
			})), "InstanceReady", "TokenRefused", "ChannelBound", true,
		},
		"provider away, once proven": {
			telegram(account(func(a *inbox.AccountRow) {
				a.Conditions = conditions(identified(inbox.Errorf(inbox.CodeUnavailable, "away"), ""))
			})), "InstanceReady", "ProviderUnavailable", "ChannelBound", true,
		},
		"account incomplete, once proven": {
			telegram(account(func(a *inbox.AccountRow) {
				a.Conditions = conditions(no("AccountProven", "AccountIncomplete", "the token is gone"))
			})), "InstanceReady", "AccountIncomplete", "Progressing", false,
		},
		"inactive":                     {telegram(func(f *facts) { f.binding.Spec.Active = &inactive }), "InstanceReady", "AccountProven", "Inactive", false},
		"itself before":                {telegram(beside(inbox.Channel{ID: me, AccountID: bot1, Active: true})), "InstanceReady", "AccountProven", "ChannelBound", true},
		"one chat beside the whole":    {telegram(target("-1"), beside(inbox.Channel{ID: other, AccountID: bot1, Active: true})), "InstanceReady", "AccountProven", "ChannelBound", true},
		"the whole twice":              {telegram(beside(inbox.Channel{ID: other, AccountID: bot1, Active: true})), "InstanceReady", "AccountProven", "ChatBoundTwice", false},
		"beside an inactive one":       {telegram(beside(inbox.Channel{ID: other, AccountID: bot1})), "InstanceReady", "AccountProven", "ChannelBound", true},
		"beside the default one":       {generic(beside(inbox.Channel{ID: other, Default: true, Active: true})), "InstanceReady", "AccountNotNeeded", "ChannelBound", true},
		"beside another provider":      {generic(beside(inbox.Channel{ID: other, Provider: "github", Active: true})), "InstanceReady", "AccountNotNeeded", "ChannelBound", true},
		"one source twice":             {generic(target("Grafana"), beside(inbox.Channel{ID: other, ExternalID: "grafana", Active: true})), "InstanceReady", "AccountNotNeeded", "ChatBoundTwice", false},
		"one chat twice":               {telegram(target("-1"), beside(inbox.Channel{ID: other, AccountID: bot1, Source: "telegram:1", ExternalID: "-1", Active: true})), "InstanceReady", "AccountProven", "ChatBoundTwice", false},
		"one chat of two bots":         {telegram(target("-1"), beside(inbox.Channel{ID: other, AccountID: bot2, Source: "telegram:2", ExternalID: "-1", Active: true})), "InstanceReady", "AccountProven", "ChannelBound", true},
		"one repository, two accounts": {telegram(target("a/b"), beside(inbox.Channel{ID: other, AccountID: bot2, Source: "telegram:1", ExternalID: "A/B", Active: true})), "InstanceReady", "AccountProven", "ChatBoundTwice", false},
		"two accounts, all of each":    {telegram(beside(inbox.Channel{ID: other, AccountID: bot2, Source: "telegram:1", Active: true})), "InstanceReady", "AccountProven", "ChannelBound", true},
		"holds the webhook":            {telegram(holder(bot1, here)), "InstanceReady", "AccountProven", "ChannelBound", true},
		"another instance has the bot": {telegram(holder(bot1, there)), "InstanceReady", "AccountProven", "BotTaken", false},
		"another Secret has the bot":   {telegram(holder(bot2, there)), "InstanceReady", "AccountProven", "BotTaken", false},
		"a second Secret, same inbox":  {telegram(holder(bot2, here)), "InstanceReady", "AccountProven", "BotTaken", false},
	} {
		d := decideChannel(c.facts)
		if d.instance.reason != c.instance || d.account.reason != c.account || d.bound.reason != c.bound || d.active != c.active {
			t.Errorf("%s: %s %s %s %v, want %s %s %s %v", name, d.instance.reason, d.account.reason, d.bound.reason, d.active, c.instance, c.account, c.bound, c.active)
		}
		for _, v := range []verdict{d.instance, d.account, d.bound} {
			if v.message == "" || strings.Contains(v.message, "%!") {
				t.Errorf("%s: %s says %q", name, v.kind, v.message)
			}
			if v.status == metav1.ConditionTrue && strings.Contains(v.reason, "Missing") {
				t.Errorf("%s: %+v", name, v)
			}
		}
	}
}
