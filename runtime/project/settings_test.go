package project

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	plain := inbox.Instance{
		Alias: "a", Owner: "alice", Providers: []string{"generic-webhook", "telegram", "github"}, BillingMode: inbox.BillingTrack,
		InboundPrice: 200, ReplyPrice: 1000, RateLimit: 6000, BodyLimit: 25 << 20,
	}
	yes, none, small, zero := true, int32(0), resource.MustParse("64Ki"), resource.MustParse("0")
	for name, c := range map[string]struct {
		change func(*v1alpha1.SocialOpsInstanceSpec)
		want   func(*inbox.Instance)
	}{
		"nothing set": {func(*v1alpha1.SocialOpsInstanceSpec) {}, func(*inbox.Instance) {}},
		"everything set": {
			func(s *v1alpha1.SocialOpsInstanceSpec) {
				s.Providers = []v1alpha1.Provider{v1alpha1.ProviderGitHub}
				s.Billing = v1alpha1.Billing{Account: "acme", Mode: v1alpha1.BillingEnforce, Prices: v1alpha1.Prices{Inbound: "0", Reply: "1.5"}}
				s.RateLimit.RequestsPerMinute, s.BodyLimit, s.Suspend = &none, &small, &yes
				s.Retention = v1alpha1.Retention{ThreadDays: 365, RawPayloadDays: 30, EventDays: 90}
			},
			func(i *inbox.Instance) {
				i.Providers, i.BillingAccount, i.BillingMode = []string{"github"}, "acme", inbox.BillingEnforce
				i.InboundPrice, i.ReplyPrice, i.RateLimit, i.BodyLimit, i.Suspended = 0, 1_500_000, 0, 64<<10, true
				i.Retention = inbox.Retention{ThreadDays: 365, RawPayloadDays: 30, EventDays: 90}
			},
		},
		"bad price":      {func(s *v1alpha1.SocialOpsInstanceSpec) { s.Billing.Prices.Reply = "cheap" }, nil},
		"bad body limit": {func(s *v1alpha1.SocialOpsInstanceSpec) { s.BodyLimit = &zero }, nil},
	} {
		in := v1alpha1.SocialOpsInstance{Spec: v1alpha1.SocialOpsInstanceSpec{Alias: "a", Owner: "alice"}}
		c.change(&in.Spec)
		got, err := settings(&in)
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		want := plain
		c.want(&want)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	for text, want := range map[v1alpha1.USD]inbox.MicroUSD{
		"0": 0, "0.0002": 200, "0.000001": 1, "1": 1_000_000, "12.34": 12_340_000, "": 200, "999999999.999999": 999_999_999_999_999,
	} {
		if got, err := price(text, "0.0002"); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []v1alpha1.USD{"-1", "+1", "1,5", ".5", "0.0000001", "1e3", " 1", "1 ", "x", "1.2.3", "99999999999999999999"} {
		if got, err := price(text, "0"); err == nil {
			t.Errorf("%q was taken for %d", text, got)
		}
	}
}
