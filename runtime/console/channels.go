package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// Channel is where conversations come from.
type Channel struct {
	ID                 string             `json:"id" example:"soch_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Name               string             `json:"name" doc:"Of its ChannelBinding."`
	Provider           string             `json:"provider"`
	ChannelName        string             `json:"channel_name" doc:"What people see."`
	ExternalChannelID  string             `json:"external_channel_id,omitempty" doc:"The one chat, repository or source that it takes; shown to those who may manage. Absent: all of its account."`
	ConnectedAccountID string             `json:"connected_account_id,omitempty"`
	Account            string             `json:"account,omitempty" doc:"The account's name at the provider."`
	ParseMode          v1alpha1.ParseMode `json:"parse_mode" enum:",HTML,Markdown,MarkdownV2" doc:"The markup of replies; empty is plain text."`
	Status             string             `json:"status" enum:"active,inactive"`
	Health             string             `json:"health" enum:"ok,working,problem,off" doc:"off: switched off. working: wait. problem: somebody has to act, and a condition says how."`
	Conditions         []Condition        `json:"conditions"`
	WebhookURL         string             `json:"webhook_url,omitempty" doc:"Where the provider sends its events, or you send yours."`
	CreatedAt          time.Time          `json:"created_at"`
}

// Condition says what holds of a channel.
type Condition struct {
	Type               string                 `json:"type" example:"Ready"`
	Status             metav1.ConditionStatus `json:"status" enum:"True,False,Unknown"`
	Reason             string                 `json:"reason"`
	Message            string                 `json:"message"`
	LastTransitionTime time.Time              `json:"last_transition_at"`
}

// Account is a connected account of the person's.
type Account struct {
	ID          string `json:"id" example:"conn_01kc0w3v2pf0bvd9m4v9wq7x5e"`
	Kind        string `json:"kind" example:"telegram-bot"`
	Provider    string `json:"provider" doc:"Whose channels may use it; empty for a kind that none does."`
	Name        string `json:"name" doc:"Of its Secret."`
	DisplayName string `json:"display_name" doc:"As the provider calls it, such as @support_bot."`
	Status      string `json:"status" enum:"active,unproven,removed"`
	Message     string `json:"message" doc:"What to do about one that is not active."`
}

// NewChannel is a channel that is to be made.
type NewChannel struct {
	Provider           string             `json:"provider" enum:"generic-webhook,telegram,github"`
	ConnectedAccountID string             `json:"connected_account_id,omitempty" maxLength:"64" doc:"Needed for telegram and github: an active account of yours."`
	ChannelName        string             `json:"channel_name" minLength:"1" maxLength:"128" example:"Support Telegram"`
	ExternalChannelID  string             `json:"external_channel_id,omitempty" maxLength:"200" example:"-1001234567890" doc:"The one chat (a number), repository (owner/name) or source to take. Left out: all of the account."`
	ParseMode          v1alpha1.ParseMode `json:"parse_mode,omitempty" enum:",HTML,Markdown,MarkdownV2" doc:"For telegram: the markup of replies."`
}

// ChannelPatch is a change of a channel. What is left out stays as it is.
type ChannelPatch struct {
	Status            string              `json:"status,omitempty" enum:"active,inactive"`
	ChannelName       string              `json:"channel_name,omitempty" maxLength:"128"`
	ExternalChannelID optionalText        `json:"external_channel_id,omitzero" doc:"null: all of the account."`
	ParseMode         *v1alpha1.ParseMode `json:"parse_mode,omitempty" enum:",HTML,Markdown,MarkdownV2"`
}

// ChannelPath is a channel that a call is about.
type ChannelPath struct {
	ChannelID string `path:"channel_id" example:"soch_01kc0w3v2pf0bvd9m4v9wq7x5e"`
}

func (s *Server) addChannels() {
	handle(s, rest.Operation{
		ID: "list-channels", Method: http.MethodGet, Path: "/{alias}/channels", Need: rest.Read, Tag: "Channels",
		Summary: "Channels", Text: "With what became of each.", Answer: "The channels.",
	}, s.channels)
	handle(s, rest.Operation{
		ID: "create-channel", Method: http.MethodPost, Path: "/{alias}/channels", Need: rest.Write, Tag: "Channels",
		Summary: "Bind a channel", Text: "Writes a ChannelBinding. It is in use within moments: its health tells.", Status: http.StatusCreated, Answer: "The channel.",
		Errors:  []inbox.Code{inbox.CodeUnprocessed, inbox.CodeConflict},
		Example: NewChannel{Provider: "telegram", ConnectedAccountID: "conn_01kc0w3v2pf0bvd9m4v9wq7x5e", ChannelName: "Support Telegram", ExternalChannelID: "-1001234567890", ParseMode: "HTML"},
	}, s.createChannel)
	handle(s, rest.Operation{
		ID: "update-channel", Method: http.MethodPatch, Path: "/{alias}/channels/{channel_id}", Need: rest.Write, Tag: "Channels",
		Summary: "Change a channel, or switch it on or off", Text: "Send the fields that are to change.", Answer: "The channel.",
		Errors: []inbox.Code{inbox.CodeUnprocessed, inbox.CodeConflict}, Example: map[string]any{"status": "inactive"},
	}, s.updateChannel)
	handle(s, rest.Operation{
		ID: "test-channel", Method: http.MethodPost, Path: "/{alias}/channels/{channel_id}/test", Need: rest.Write, Tag: "Channels",
		Summary: "Send a test event", Text: "Sends a sample event to the inbox's own address as a stranger would, with an API key that lives for a minute at most. It is charged as any event.",
		Answer: "What the inbox answered.", Errors: []inbox.Code{inbox.CodeUnprocessed},
	}, s.testChannel)
	handle(s, rest.Operation{
		ID: "list-accounts", Method: http.MethodGet, Path: "/{alias}/accounts", Need: rest.Read, Tag: "Channels",
		Summary: "Connected accounts", Text: "Your own that channels of this inbox may use.", Answer: "The accounts.",
	}, s.accounts)
}

// bound is a channel's manifest, with what is known of its account.
type bound struct {
	binding v1alpha1.ChannelBinding
	id      inbox.ChannelID
}

// bindings are the channels that have a manifest, oldest first.
func (p *person) bindings(ctx context.Context) ([]bound, error) {
	list, err := p.s.Bindings.List(ctx, p.in.Namespace, p.in.Name)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	out := each(list, func(b v1alpha1.ChannelBinding) bound { return bound{b, p.s.ids.ChannelID(b.Namespace, b.Name)} })
	slices.SortStableFunc(out, func(a, b bound) int {
		return a.binding.CreationTimestamp.Compare(b.binding.CreationTimestamp.Time)
	})
	return out, nil
}

// binding is the manifest of one channel.
func (p *person) binding(ctx context.Context, text string) (bound, error) {
	var id inbox.ChannelID
	if err := id.UnmarshalText([]byte(text)); err != nil || id.IsZero() {
		return bound{}, rest.NoSuch("channel", err)
	}
	all, err := p.bindings(ctx)
	if err != nil {
		return bound{}, err
	}
	i := slices.IndexFunc(all, func(b bound) bool { return b.id == id })
	if i < 0 {
		return bound{}, inbox.Errorf(inbox.CodeNotFound, "there is no such channel: its ChannelBinding was removed, or never there")
	}
	return all[i], nil
}

func (s *Server) channels(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]Channel]], error) {
	all, err := p.bindings(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := p.showChannels(ctx, all...)
	if err != nil {
		return nil, err
	}
	return rest.OK(shown), nil
}

// showChannels joins manifests with what became of them.
func (p *person) showChannels(ctx context.Context, all ...bound) ([]Channel, error) {
	rows, err := p.desk.Channels(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	accounts, err := p.desk.Accounts(ctx, p.Subject)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return each(all, func(b bound) Channel {
		c := p.showChannel(b, accounts)
		if c.CreatedAt.IsZero() { // a folder does not tell
			if i := slices.IndexFunc(rows, func(r inbox.DeskChannel) bool { return r.ID == b.id }); i >= 0 {
				c.CreatedAt = rows[i].CreatedAt.UTC()
			}
		}
		return c
	}), nil
}

func (p *person) showChannel(b bound, accounts []inbox.DeskAccount) Channel {
	spec, status := &b.binding.Spec, &b.binding.Status
	c := Channel{
		ID: b.id.String(), Name: b.binding.Name, Provider: string(spec.Provider), ChannelName: spec.ChannelName, Account: status.Account,
		ParseMode: spec.Markup(), Status: channelStatus(spec), Health: healthOf(&b.binding), WebhookURL: status.WebhookURL, CreatedAt: b.binding.CreationTimestamp.UTC(),
		Conditions: each(status.Conditions, func(c metav1.Condition) Condition {
			return Condition{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message, LastTransitionTime: c.LastTransitionTime.UTC()}
		}),
	}
	if p.may(rest.Write) {
		c.ExternalChannelID = spec.ExternalChannelID
	}
	if name := spec.ConnectedAccountRef.Name; name != "" {
		id := p.s.ids.AccountID(b.binding.Namespace, name)
		c.ConnectedAccountID = id.String()
		if i := slices.IndexFunc(accounts, func(a inbox.DeskAccount) bool { return a.ID == id }); i >= 0 && accounts[i].DisplayName != "" {
			c.Account = accounts[i].DisplayName
		}
	}
	// A bot's webhook is registered, with a secret of its own; the others are entered by people.
	if c.WebhookURL == "" && spec.Provider != v1alpha1.ProviderTelegram && p.s.PublicURL != nil {
		if base := p.s.PublicURL(p.in.Alias); base != "" {
			c.WebhookURL = base + "/webhook/" + string(spec.Provider)
		}
	}
	return c
}

const (
	statusActive   = "active"
	statusInactive = "inactive"
)

func channelStatus(spec *v1alpha1.ChannelBindingSpec) string {
	if spec.IsActive() {
		return statusActive
	}
	return statusInactive
}

// healthOf sums the conditions up.
func healthOf(b *v1alpha1.ChannelBinding) string {
	is := func(kind string) bool {
		return slices.ContainsFunc(b.Status.Conditions, func(c metav1.Condition) bool { return c.Type == kind && c.Status == metav1.ConditionTrue })
	}
	switch {
	case !b.Spec.IsActive():
		return "off"
	case b.Status.ObservedGeneration < b.Generation, len(b.Status.Conditions) == 0: // nobody has looked yet
		return "working"
	case is(v1alpha1.ConditionReady):
		return "ok"
	case is(v1alpha1.ConditionReconciling) && !is(v1alpha1.ConditionStalled):
		return "working"
	}
	return "problem"
}

func (s *Server) accounts(ctx context.Context, p *person, _ *struct{}) (*rest.Reply[rest.Envelope[[]Account]], error) {
	accounts, err := p.desk.Accounts(ctx, p.Subject)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	return rest.OK(each(accounts, showAccount)), nil
}

func showAccount(a inbox.DeskAccount) Account {
	out := Account{ID: a.ID.String(), Kind: a.Kind, Name: a.Name, DisplayName: a.DisplayName, Status: statusActive}
	for _, p := range []v1alpha1.Provider{v1alpha1.ProviderTelegram, v1alpha1.ProviderGitHub} {
		if kind, _ := v1alpha1.AccountKindOf(p); string(kind) == a.Kind {
			out.Provider = string(p)
		}
	}
	switch {
	case a.Removed:
		out.Status, out.Message = "removed", "its Secret was removed: put it back to use the account again"
	case a.Source == "":
		out.Status, out.Message = "unproven", "the provider has not accepted its credential yet: check the token in its Secret, and ask whoever runs the inbox if it stays so"
	}
	return out
}
