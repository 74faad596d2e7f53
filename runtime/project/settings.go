package project

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// Prices and limits where a manifest leaves them out, as the CRD's defaults have them.
const (
	defaultInboundPrice v1alpha1.USD = "0.0002"
	defaultReplyPrice   v1alpha1.USD = "0.001"
	defaultRateLimit                 = 6000
)

var defaultProviders = []v1alpha1.Provider{v1alpha1.ProviderGenericWebhook, v1alpha1.ProviderTelegram, v1alpha1.ProviderGitHub}

// settings are what an instance's manifest says that its runtime needs to know.
func settings(in *v1alpha1.SocialOpsInstance) (inbox.Instance, error) {
	spec := &in.Spec
	out := inbox.Instance{
		Alias: spec.Alias, Owner: spec.Owner, BillingAccount: spec.Billing.Account, BillingMode: inbox.BillingTrack,
		RateLimit: defaultRateLimit, BodyLimit: int(v1alpha1.DefaultBodyLimit.Value()), Suspended: spec.Suspended(),
		Retention: inbox.Retention{
			ThreadDays: int(spec.Retention.ThreadDays), RawPayloadDays: int(spec.Retention.RawPayloadDays), EventDays: int(spec.Retention.EventDays),
		},
	}
	providers := spec.Providers
	if len(providers) == 0 {
		providers = defaultProviders
	}
	for _, p := range providers {
		out.Providers = append(out.Providers, string(p))
	}
	if spec.Billing.Mode != "" {
		out.BillingMode = inbox.BillingMode(spec.Billing.Mode)
	}
	if n := spec.RateLimit.RequestsPerMinute; n != nil {
		out.RateLimit = int(*n)
	}
	out.RateBurst = int(spec.RateLimit.Burst)
	if spec.BodyLimit != nil {
		n := spec.BodyLimit.Value()
		if n <= 0 || n > v1alpha1.DefaultBodyLimit.Value() {
			return out, fmt.Errorf("spec.bodyLimit: want 1Ki to %s", v1alpha1.DefaultBodyLimit.String())
		}
		out.BodyLimit = int(n)
	}
	var err error
	if out.InboundPrice, err = price(spec.Billing.Prices.Inbound, defaultInboundPrice); err != nil {
		return out, fmt.Errorf("spec.billing.prices.inbound: %w", err)
	}
	if out.ReplyPrice, err = price(spec.Billing.Prices.Reply, defaultReplyPrice); err != nil {
		return out, fmt.Errorf("spec.billing.prices.reply: %w", err)
	}
	return out, nil
}

func deletionPolicy(in *v1alpha1.SocialOpsInstance) string {
	if in.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		return string(v1alpha1.DeletionDelete)
	}
	return string(v1alpha1.DeletionRetain)
}

const usdDecimals = 6

// price reads US dollars as whole micro-USD.
func price(usd, otherwise v1alpha1.USD) (inbox.MicroUSD, error) {
	if usd == "" {
		usd = otherwise
	}
	whole, fraction, _ := strings.Cut(string(usd), ".")
	digits := whole + fraction + strings.Repeat("0", max(0, usdDecimals-len(fraction)))
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || whole == "" || len(fraction) > usdDecimals || n > math.MaxInt64 {
		return 0, fmt.Errorf("want US dollars with at most %d decimals, such as \"0.0002\"", usdDecimals)
	}
	return inbox.MicroUSD(n), nil
}
