package project

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// BindingResult is what became of a ChannelBinding.
type BindingResult struct {
	ID         inbox.ChannelID
	Instance   inbox.InstanceID // zero: the instance is missing
	Account    string           // the provider's name for the account
	WebhookURL string           // where the provider sends events; empty: nobody has to call
	Conditions []metav1.Condition
	CheckAt    time.Time // when to project it again though nothing changed; zero: never
	Stale      bool      // a later version of the manifest was projected already
}

// What a binding's Ready rests on.
var bindingConditions = []string{
	v1alpha1.ConditionInstanceReady, v1alpha1.ConditionAccountProven, v1alpha1.ConditionChannelBound, v1alpha1.ConditionWebhookRegistered,
}

// channelsLock keeps decisions about accounts and channels in one line: two of them
// may want the same chat or the same bot.
var channelsLock = []string{"channels"}

// bindingPass is the projection of one binding.
type bindingPass struct {
	p         *Projector
	b         *v1alpha1.ChannelBinding
	manifest  *v1alpha1.SocialOpsInstance // nil: there is none
	now       time.Time
	connector provider.Connector // nil: the provider's accounts have no webhook to register

	facts    facts
	decision decision
	row      *inbox.ChannelRow // nil without an instance
	left     []inbox.AccountID // accounts that the channel no longer uses
	stale    bool
}

// Binding projects a ChannelBinding; instance is the manifest that it names, nil
// when there is none. The account's Secret is projected before. The result's
// conditions are good even when there is an error, which means: try again.
func (p *Projector) Binding(ctx context.Context, b *v1alpha1.ChannelBinding, instance *v1alpha1.SocialOpsInstance) (BindingResult, error) {
	s := &bindingPass{p: p, b: b, manifest: instance, now: p.now()}
	s.connector, _ = p.Providers[string(b.Spec.Provider)].(provider.Connector)
	result := BindingResult{ID: p.ChannelID(b.Namespace, b.Name), Conditions: b.Status.Conditions}
	fail := func(err error) (BindingResult, error) {
		result.judge(b, s.now, failureVerdict(v1alpha1.ConditionChannelBound, err))
		return result, fmt.Errorf("projecting channel %s/%s: %w", b.Namespace, b.Name, err)
	}
	err := p.Store.Configure(ctx, s.locks(), func(tx inbox.ConfigurationTx) error {
		s.left = nil // of this try
		return s.project(ctx, tx)
	})
	if err != nil {
		return fail(err)
	}
	if s.stale {
		result.Stale = true
		return result, nil
	}
	for _, id := range s.left {
		if _, err := p.releaseUnused(ctx, id); err != nil {
			return fail(err)
		}
	}
	webhook, checkAt, err := s.webhook(ctx)
	if err != nil {
		return fail(err)
	}
	result.CheckAt, result.WebhookURL = checkAt, s.webhookURL()
	if s.facts.account != nil {
		result.Account = s.facts.account.DisplayName
	}
	if s.row != nil {
		result.Instance = s.row.InstanceID
		if p.KeepConditions && len(result.Conditions) == 0 {
			result.Conditions = decode(s.row.Conditions)
		}
	}
	result.judge(b, s.now, s.decision.instance, s.decision.account, s.decision.bound, webhook)
	if err := s.keepConditions(ctx, result.Conditions); err != nil {
		return fail(err)
	}
	return result, nil
}

func (r *BindingResult) judge(b *v1alpha1.ChannelBinding, now time.Time, verdicts ...verdict) {
	r.Conditions = sumUpBinding(b, apply(r.Conditions, b.Generation, now, verdicts...), now)
}

func sumUpBinding(b *v1alpha1.ChannelBinding, conditions []metav1.Condition, now time.Time) []metav1.Condition {
	// A webhook that a person enters at the provider can't be seen from here, and is no reason to be not ready.
	restsOn := bindingConditions
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionWebhookRegistered); c != nil && c.Reason == v1alpha1.ReasonWebhookManual {
		restsOn = restsOn[:3]
	}
	return Summarize(conditions, b.Generation, now, "the channel takes events and delivers replies", restsOn...)
}

// SummarizeBinding adds what keeps a binding from being projected to its conditions,
// and sums up. Of more it reads type, status, reason and message.
func SummarizeBinding(b *v1alpha1.ChannelBinding, conditions []metav1.Condition, now time.Time, more ...metav1.Condition) []metav1.Condition {
	for _, c := range more {
		conditions = apply(conditions, b.Generation, now, verdict{c.Type, c.Status, c.Reason, c.Message})
	}
	return sumUpBinding(b, conditions, now)
}

// locks keep the instance in force meanwhile.
func (s *bindingPass) locks() []string {
	return append([]string{instanceLock(s.b.Namespace, s.b.Spec.InstanceRef.Name)}, channelsLock...)
}

// project writes channel, claim of the webhook and proofs.
func (s *bindingPass) project(ctx context.Context, tx inbox.ConfigurationTx) error {
	if err := s.gather(ctx, tx); err != nil {
		return err
	}
	s.decision = decideChannel(s.facts)
	if s.facts.instance == nil {
		return nil
	}
	var was *inbox.ChannelRow
	if i := slices.IndexFunc(s.facts.channels, func(c inbox.ChannelRow) bool { return c.ID == s.facts.id }); i >= 0 {
		was = &s.facts.channels[i]
		object := inbox.Manifest{UID: string(s.b.UID), Generation: s.b.Generation, Since: s.b.CreationTimestamp.Time}
		if s.stale = stale(inbox.Manifest{UID: was.UID, Generation: was.Generation, Since: was.Since}, object); s.stale {
			return nil
		}
	}
	row := channelRow(s.facts, s.decision, was)
	if was == nil {
		row.CreatedAt = s.now
	}
	s.row = &row
	if was == nil || !reflect.DeepEqual(*was, row) {
		if err := tx.PutChannel(ctx, &row); err != nil {
			return err
		}
	}
	if was != nil && was.AccountID != row.AccountID && !was.AccountID.IsZero() {
		s.left = append(s.left, was.AccountID)
		left, err := tx.Account(ctx, was.AccountID)
		if err != nil {
			return err
		}
		if left != nil {
			if err := s.p.proof(ctx, tx, s.facts.instance, left, s.now, true); err != nil {
				return err
			}
		}
	}
	if err := s.claimWebhook(ctx, tx); err != nil {
		return err
	}
	if s.facts.account == nil {
		return nil
	}
	return s.p.proof(ctx, tx, s.facts.instance, s.facts.account, s.now, s.registered())
}

func (s *bindingPass) gather(ctx context.Context, tx inbox.ConfigurationTx) error {
	f := facts{binding: s.b, id: s.p.ChannelID(s.b.Namespace, s.b.Name), exists: s.manifest != nil, oneWebhook: s.connector != nil}
	var err error
	if f.instance, err = tx.InstanceOf(ctx, s.p.manifest(s.b.Namespace, s.b.Spec.InstanceRef.Name)); err != nil {
		return err
	}
	if _, needed := v1alpha1.AccountKindOf(s.b.Spec.Provider); needed {
		if f.account, err = tx.Account(ctx, s.p.AccountID(s.b.Namespace, s.b.Spec.ConnectedAccountRef.Name)); err != nil {
			return err
		}
	}
	if f.instance != nil {
		if f.channels, err = tx.Channels(ctx, f.instance.ID); err != nil {
			return err
		}
	}
	if f.oneWebhook && f.account != nil && f.account.Source != "" {
		if f.holder, err = tx.WebhookHolder(ctx, f.account.Source); err != nil {
			return err
		}
	}
	s.facts = f
	return nil
}

// claimWebhook makes the instance the holder of its account's one webhook.
func (s *bindingPass) claimWebhook(ctx context.Context, tx inbox.ConfigurationTx) error {
	if s.connector == nil || !s.decision.active || s.facts.holder != nil {
		return nil
	}
	s.facts.account.WebhookInstance = s.facts.instance.ID
	return tx.PutAccount(ctx, s.facts.account)
}

// webhookURL is where the provider is to send events; empty when it can't reach the instance.
func (s *bindingPass) webhookURL() string {
	if s.manifest == nil || s.p.PublicURL == nil {
		return ""
	}
	base := strings.TrimRight(s.p.PublicURL(s.manifest), "/")
	if base == "" {
		return ""
	}
	return base + "/v1/apps/socialops/" + s.manifest.Spec.Alias + "/webhook/" + string(s.b.Spec.Provider)
}

// registered tells whether the provider already sends what the account's row says
// that its calls carry.
func (s *bindingPass) registered() bool {
	if s.connector == nil {
		return true
	}
	_, hash, err := s.p.webhookOf(s.connector, s.facts.account, s.webhookURL())
	return err == nil && s.facts.account.WebhookHash == hash
}

// webhook sees to the account's webhook and says how it stands.
func (s *bindingPass) webhook(ctx context.Context) (verdict, time.Time, error) {
	kind := v1alpha1.ConditionWebhookRegistered
	if s.facts.account == nil {
		return absent(kind), time.Time{}, nil
	}
	url := s.webhookURL()
	switch {
	case !s.decision.active && s.facts.account.WebhookInstance.IsZero():
		return absent(kind), time.Time{}, nil
	case !s.decision.active:
		checkAt, err := s.p.releaseUnused(ctx, s.facts.account.ID)
		return absent(kind), checkAt, err
	case url == "":
		return no(kind, v1alpha1.ReasonNoPublicURL, "%s can't reach this inbox: set the instance's spec.exposure", s.b.Spec.Provider), time.Time{}, nil
	case s.connector == nil:
		return unknown(kind, v1alpha1.ReasonWebhookManual, "enter %s as the webhook's URL at %s, with the account's secret and content type application/json", url, s.b.Spec.Provider), time.Time{}, nil
	default:
		return s.p.register(ctx, s.connector, s.facts.account, url)
	}
}

// keepConditions stores them beside the channel, for the dev mode.
func (s *bindingPass) keepConditions(ctx context.Context, conditions []metav1.Condition) error {
	if s.row == nil || !s.p.KeepConditions {
		return nil
	}
	kept := encode(conditions, s.row.Conditions)
	if equal(kept, s.row.Conditions) {
		return nil
	}
	return s.p.Store.Configure(ctx, channelsLock, func(tx inbox.ConfigurationTx) error {
		channels, err := tx.Channels(ctx, s.row.InstanceID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(channels, func(c inbox.ChannelRow) bool { return c.ID == s.row.ID })
		if i < 0 || channels[i].Generation != s.row.Generation {
			return nil
		}
		channels[i].Conditions = kept
		return tx.PutChannel(ctx, &channels[i])
	})
}
