package project_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/project"
)

func TestAPassMakesEverythingAndASecondNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	r := w.pass()

	in := r.Instances[project.Name{Namespace: "default", Name: "support"}]
	if diff := cmp.Diff(map[string]string{
		"AliasClaimed": "True/AliasClaimed", "DatabaseReady": "True/DatabaseReady", "KeysReady": "True/KeysReady", "Ready": "True/Ready",
	}, reasons(in.Conditions)); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]map[string]string{
		"events": {
			"InstanceReady": "True/InstanceReady", "AccountProven": "True/AccountNotNeeded", "ChannelBound": "True/ChannelBound", "Ready": "True/Ready",
		},
		"telegram": {
			"InstanceReady": "True/InstanceReady", "AccountProven": "True/AccountProven", "ChannelBound": "True/ChannelBound",
			"WebhookRegistered": "True/WebhookRegistered", "Ready": "True/Ready",
		},
		"github": {
			"InstanceReady": "True/InstanceReady", "AccountProven": "True/AccountProven", "ChannelBound": "True/ChannelBound",
			"WebhookRegistered": "Unknown/WebhookManual", "Ready": "True/Ready",
		},
	} {
		if diff := cmp.Diff(want, reasons(r.Bindings[project.Name{Namespace: "default", Name: name}].Conditions)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got, want := w.calls(), "getMe 1 getWebhookInfo 1 setWebhook 1 deleteWebhook 0"; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
	if url, secret, _ := w.sim.Webhook(token1); url != publicURL+"/v1/apps/socialops/support/webhook/telegram" || len(secret) != 48 {
		t.Errorf("webhook: %q with a secret of %d", url, len(secret))
	}
	if got := w.query("SELECT count(*) FROM channel WHERE is_default AND active"); got != "3" {
		t.Errorf("%s default channels", got)
	}

	for n, b := range r.Bindings {
		if got := w.query("SELECT jsonb_agg(c->>'type' ORDER BY n) FROM channel, jsonb_array_elements(conditions) WITH ORDINALITY AS e (c, n) WHERE id = $1::uuid", b.ID.UUID()); strings.Count(got, ",")+1 != len(b.Conditions) {
			t.Errorf("%s: Postgres has the conditions %s", n, got)
		}
	}

	w.clock.advance(time.Hour)
	before := w.snapshot()
	w.pass()
	if diff := cmp.Diff(before, w.snapshot()); diff != "" {
		t.Errorf("the second pass wrote: %s", diff)
	}
	if got, want := w.calls(), "getMe 1 getWebhookInfo 1 setWebhook 1 deleteWebhook 0"; got != want {
		t.Errorf("calls after the second pass: %s, want %s", got, want)
	}
}
