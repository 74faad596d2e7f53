package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

func TestSettlementOf(t *testing.T) {
	t.Parallel()
	r := rules{giveUpAfter: 24 * time.Hour, callbackDeadline: time.Hour, chance: func() float64 { return 0.5 }}
	part := func(i int, last bool) *inbox.SentPart { return &inbox.SentPart{Index: i, Last: last, ExternalID: "x"} }
	for name, c := range map[string]struct {
		outcome     inbox.Outcome
		part, parts int
		attempts    int
		age         time.Duration
		want        inbox.Settlement
	}{
		"delivered": {
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "x"}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionCompleted, Part: part(0, true)},
		},
		"first of two parts": {
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "x"}, parts: 2,
			want: inbox.Settlement{Status: inbox.ActionPending, Part: part(0, false)},
		},
		"last of two parts": {
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "x"}, part: 1, parts: 2,
			want: inbox.Settlement{Status: inbox.ActionCompleted, Part: part(1, true)},
		},
		"all was there already": {
			outcome: inbox.Outcome{Kind: inbox.Delivered}, part: 2, parts: 2,
			want: inbox.Settlement{Status: inbox.ActionCompleted},
		},
		"handed over": {
			outcome: inbox.Outcome{Kind: inbox.HandedOver, ExternalID: "x"}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionAwaiting, Wait: time.Hour, Part: part(0, true)},
		},
		"moved": {
			outcome: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "x", MigratedTo: "new"}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionCompleted, MigratedTo: "new", Part: part(0, true)},
		},
		"later, first time": {
			outcome: inbox.Outcome{Kind: inbox.Later, Reason: " away "}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionPending, Error: "away", Wait: 750 * time.Millisecond},
		},
		"later, fourth time, without a reason": {
			outcome: inbox.Outcome{Kind: inbox.Later}, parts: 1, attempts: 3,
			want: inbox.Settlement{Status: inbox.ActionPending, Error: "it could not be sent", Wait: 6 * time.Second},
		},
		"later, for the thousandth time": {
			outcome: inbox.Outcome{Kind: inbox.Later, Reason: "away"}, parts: 1, attempts: 999,
			want: inbox.Settlement{Status: inbox.ActionPending, Error: "away", Wait: 225 * time.Second},
		},
		"asked to wait": {
			outcome: inbox.Outcome{Kind: inbox.Later, Reason: "429", RetryAfter: 30 * time.Second}, parts: 1, attempts: 7,
			want: inbox.Settlement{Status: inbox.ActionPending, Error: "429", Wait: 30500 * time.Millisecond, Hold: 30 * time.Second},
		},
		"asked to wait for longer than is left": {
			outcome: inbox.Outcome{Kind: inbox.Later, Reason: "429", RetryAfter: 2 * time.Hour}, parts: 1, age: 23 * time.Hour,
			want: inbox.Settlement{Status: inbox.ActionFailed, Error: "gave up after 24 hours: 429", Hold: 2 * time.Hour},
		},
		"later, too late": {
			outcome: inbox.Outcome{Kind: inbox.Later, Reason: "away"}, parts: 1, age: 24 * time.Hour,
			want: inbox.Settlement{Status: inbox.ActionFailed, Error: "gave up after 24 hours: away"},
		},
		"refused without a reason": {
			outcome: inbox.Outcome{Kind: inbox.Refused}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionFailed, Error: "the provider refused it"},
		},
		"unknown": {
			outcome: inbox.Outcome{Kind: inbox.Unknown, Reason: "reset"}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionFailed, Error: inbox.ErrOutcomeUnknown},
		},
		"nonsense": {
			outcome: inbox.Outcome{Kind: "sure"}, parts: 1,
			want: inbox.Settlement{Status: inbox.ActionFailed, Error: inbox.ErrOutcomeUnknown},
		},
	} {
		j := &job{part: c.part, parts: make([]provider.Reply, c.parts)}
		j.Attempts = c.attempts
		if d := cmp.Diff(c.want, r.settle(j, c.outcome, c.age)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
