package project

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// facts are what a channel is decided from.
type facts struct {
	binding  *v1alpha1.ChannelBinding
	id       inbox.ChannelID
	instance *inbox.InstanceRow // in force; nil: none
	exists   bool               // the instance's manifest is there
	account  *inbox.AccountRow  // nil: none
	// oneWebhook tells that an account of the provider has one webhook, and holder is
	// the account that holds that of this source, nil when none does.
	oneWebhook bool
	holder     *inbox.AccountRow
	channels   []inbox.ChannelRow // of the instance
}

// decision is what a channel is to be.
type decision struct {
	active                   bool
	instance, account, bound verdict
}

func decideChannel(f facts) decision {
	d := decision{instance: judgeInstance(f), account: judgeAccount(f)}
	d.bound = judgeBound(f, d)
	d.active = d.bound.status == metav1.ConditionTrue
	return d
}

func judgeInstance(f facts) verdict {
	name, kind := f.binding.Spec.InstanceRef.Name, v1alpha1.ConditionInstanceReady
	switch {
	case !f.exists: // its row may be in force for a moment longer
		return no(kind, v1alpha1.ReasonInstanceMissing, "there is no SocialOpsInstance %q in this namespace: create it, or name another one in spec.instanceRef", name)
	case f.instance == nil:
		return no(kind, v1alpha1.ReasonInstanceNotReady, "the SocialOpsInstance %q has no inbox yet: its own conditions tell why", name)
	case !slices.Contains(f.instance.Providers, string(f.binding.Spec.Provider)):
		return no(kind, v1alpha1.ReasonProviderNotAllowed, "the SocialOpsInstance %q does not take messages from %s: add it to the instance's spec.providers", name, f.binding.Spec.Provider)
	default:
		return yes(kind, v1alpha1.ReasonInstanceReady, "the SocialOpsInstance %q takes messages from %s", name, f.binding.Spec.Provider)
	}
}

func judgeAccount(f facts) verdict {
	kind, needed := v1alpha1.AccountKindOf(f.binding.Spec.Provider)
	name, proven := f.binding.Spec.ConnectedAccountRef.Name, v1alpha1.ConditionAccountProven
	switch {
	case !needed:
		return yes(proven, v1alpha1.ReasonAccountNotNeeded, "callers use an API key with the scope socialops:write")
	case f.account == nil || !f.account.RemovedAt.IsZero():
		return no(proven, v1alpha1.ReasonAccountMissing, "there is no Secret %q labelled %s=%s in this namespace: create it", name, v1alpha1.LabelConnectedAccount, kind)
	case f.account.Kind != string(kind):
		return no(proven, v1alpha1.ReasonAccountKind, "the Secret %q is labelled as a %s account: %s needs one labelled %s=%s", name, f.account.Kind, f.binding.Spec.Provider, v1alpha1.LabelConnectedAccount, kind)
	case f.instance != nil && f.account.Owner != "" && f.account.Owner != f.instance.Owner:
		return no(proven, v1alpha1.ReasonAccountForeignOwner, "the account in Secret %q belongs to another owner than the instance: use an account whose annotation %s is the instance's spec.owner", name, v1alpha1.AnnotationOwner)
	}
	if c := meta.FindStatusCondition(decode(f.account.Conditions), proven); c != nil {
		return verdict{proven, c.Status, c.Reason, c.Message}
	}
	return unknown(proven, v1alpha1.ReasonProgressing, "the account in Secret %q is being proven", name)
}

// usable tells whether a channel may use its account. A credential that is refused
// or can't be checked right now does not close a channel that was proven once:
// what comes in would be lost.
func (d decision) usable(f facts) bool {
	switch d.account.reason {
	case v1alpha1.ReasonAccountNotNeeded:
		return true
	case v1alpha1.ReasonAccountProven, v1alpha1.ReasonTokenRefused, v1alpha1.ReasonProviderUnavailable:
		return f.account != nil && f.account.Source != ""
	default:
		return false
	}
}

func judgeBound(f facts, d decision) verdict {
	kind := v1alpha1.ConditionChannelBound
	if !f.binding.Spec.IsActive() {
		return no(kind, v1alpha1.ReasonInactive, "inactive: set spec.active to true to take events and deliver replies")
	}
	if d.instance.status != metav1.ConditionTrue {
		return unknown(kind, v1alpha1.ReasonProgressing, "waits for the instance")
	}
	if !d.usable(f) {
		return unknown(kind, v1alpha1.ReasonProgressing, "waits for the connected account")
	}
	if twin := f.twin(); twin != nil {
		return no(kind, v1alpha1.ReasonChatBoundTwice, "the channel %q of this instance already takes these events, and the older one keeps them: remove one of the two, or set spec.externalChannelID", twin.Name)
	}
	if f.oneWebhook && f.holder != nil && (f.holder.ID != f.account.ID || f.holder.WebhookInstance != f.instance.ID) {
		return no(kind, v1alpha1.ReasonBotTaken, "%s already serves another inbox or is connected by another Secret, and it has only one webhook: remove the other channels first, or make another bot", f.account.DisplayName)
	}
	return yes(kind, v1alpha1.ReasonChannelBound, "the channel takes the events of its target")
}

// twin is an active channel of the instance that takes the same events.
func (f facts) twin() *inbox.ChannelRow {
	spec := &f.binding.Spec
	for i := range f.channels {
		c := &f.channels[i]
		switch {
		case c.ID == f.id, c.Default, !c.Active, c.Provider != string(spec.Provider), !strings.EqualFold(c.ExternalID, spec.ExternalChannelID):
		case f.account == nil, c.AccountID == f.account.ID:
			return c
		case spec.ExternalChannelID != "" && c.Source == f.account.Source: // one target, two accounts that see it
			return c
		}
	}
	return nil
}

// channelRow is the row that a binding's channel should have.
func channelRow(f facts, d decision, was *inbox.ChannelRow) inbox.ChannelRow {
	spec := &f.binding.Spec
	row := inbox.ChannelRow{InstanceID: f.instance.ID}
	if was != nil {
		row = *was
	}
	row.ID, row.Provider, row.Name, row.ExternalID, row.ParseMode = f.id, string(spec.Provider), spec.ChannelName, spec.ExternalChannelID, string(spec.Markup())
	row.AccountID = inbox.AccountID{}
	if f.account != nil {
		row.AccountID, row.Source = f.account.ID, f.account.Source
	}
	row.Active = d.active
	row.UID, row.Generation = string(f.binding.UID), f.binding.Generation
	if !f.binding.CreationTimestamp.IsZero() {
		row.Since = f.binding.CreationTimestamp.UTC()
	}
	row.RemovedAt = time.Time{}
	return row
}
