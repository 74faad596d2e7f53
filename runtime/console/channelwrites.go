package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/rest"
)

// optionalText is a field of which null means something else than absence.
type optionalText struct {
	given bool
	text  string
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *optionalText) UnmarshalJSON(b []byte) error {
	o.given, o.text = true, ""
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &o.text)
}

// Schema implements [huma.SchemaProvider].
func (o optionalText) Schema(huma.Registry) *huma.Schema {
	longest := 200
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest}
}

func (s *Server) createChannel(ctx context.Context, p *person, in *struct{ Body NewChannel }) (*rest.Reply[rest.Envelope[Channel]], error) {
	b := in.Body
	name := strings.TrimSpace(b.ChannelName)
	if err := oneLine("body.channel_name", name); err != nil {
		return nil, err
	}
	provider := v1alpha1.Provider(b.Provider)
	if !slices.Contains(p.in.Providers, b.Provider) {
		return nil, fieldError(inbox.CodeUnprocessed, "body.provider", "this inbox takes no messages from %s: have it added to spec.providers of the SocialOpsInstance %q", b.Provider, p.in.Name)
	}
	account, err := p.account(ctx, provider, b.ConnectedAccountID)
	if err != nil {
		return nil, err
	}
	binding := &v1alpha1.ChannelBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindChannelBinding},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.in.Namespace, Name: bindingName(name), Annotations: map[string]string{v1alpha1.AnnotationChangedBy: p.Subject},
		},
		Spec: v1alpha1.ChannelBindingSpec{
			InstanceRef: v1alpha1.InstanceReference{Name: p.in.Name}, Provider: provider, ChannelName: name,
			ConnectedAccountRef: v1alpha1.SecretReference{Name: account}, ExternalChannelID: strings.TrimSpace(b.ExternalChannelID),
		},
	}
	if b.ParseMode != "" {
		binding.Spec.ParseMode = &b.ParseMode
	}
	if err := s.Bindings.Create(ctx, binding); err != nil {
		return nil, fieldOf(err)
	}
	made := bound{*binding, s.ids.ChannelID(binding.Namespace, binding.Name)}
	p.logChannel(ctx, made.id, inbox.EventChannelCreated, nil)
	return p.channelAnswer(ctx, made)
}

// account is the Secret of an account that a channel of the provider may use.
func (p *person) account(ctx context.Context, provider v1alpha1.Provider, text string) (string, error) {
	const where = "body.connected_account_id"
	kind, needed := v1alpha1.AccountKindOf(provider)
	switch {
	case !needed && text == "":
		return "", nil
	case !needed:
		return "", fieldError(inbox.CodeUnprocessed, where, "%s takes no connected account: its callers use an API key with the scope socialops:write", provider)
	case text == "":
		return "", fieldError(inbox.CodeUnprocessed, where, "%s needs a connected account of the kind %s: choose one of yours", provider, kind)
	}
	accounts, err := p.desk.Accounts(ctx, p.Subject)
	if err != nil {
		return "", err //nolint:wrapcheck // says what to do
	}
	i := slices.IndexFunc(accounts, func(a inbox.DeskAccount) bool { return a.ID.String() == text })
	if i < 0 {
		return "", fieldError(inbox.CodeUnprocessed, where, "there is no such account of yours: GET %s/%s/accounts lists them", BasePath, p.in.Alias)
	}
	switch a := showAccount(accounts[i]); {
	case a.Kind != string(kind):
		return "", fieldError(inbox.CodeUnprocessed, where, "this account is a %s: %s needs one of the kind %s", a.Kind, provider, kind)
	case a.Status != statusActive:
		return "", fieldError(inbox.CodeUnprocessed, where, "this account is not active: %s", a.Message)
	}
	return accounts[i].Name, nil
}

func (s *Server) updateChannel(ctx context.Context, p *person, in *struct {
	ChannelPath
	Body ChannelPatch
},
) (*rest.Reply[rest.Envelope[Channel]], error) {
	b := in.Body
	b.ChannelName = strings.TrimSpace(b.ChannelName)
	if b.Status == "" && b.ChannelName == "" && !b.ExternalChannelID.given && b.ParseMode == nil {
		return nil, inbox.Errorf(inbox.CodeInvalid, "body: nothing to change: give at least one of status, channel_name, external_channel_id and parse_mode")
	}
	if b.ChannelName != "" {
		if err := oneLine("body.channel_name", b.ChannelName); err != nil {
			return nil, err
		}
	}
	was, err := p.binding(ctx, in.ChannelID)
	if err != nil {
		return nil, err
	}
	var changed []string
	now, err := s.Bindings.Update(ctx, was.binding.Namespace, was.binding.Name, func(spec *v1alpha1.ChannelBindingSpec) { changed = b.apply(spec) }, p.Subject)
	if err != nil {
		return nil, fieldOf(err)
	}
	if len(changed) > 0 {
		p.logChannel(ctx, was.id, inbox.EventChannelUpdated, changed)
	}
	return p.channelAnswer(ctx, bound{*now, was.id})
}

// apply changes a spec and names what it changed.
func (b *ChannelPatch) apply(spec *v1alpha1.ChannelBindingSpec) (changed []string) {
	if b.Status != "" && b.Status != channelStatus(spec) {
		active := b.Status == statusActive
		spec.Active = &active
		changed = append(changed, "status")
	}
	if b.ChannelName != "" && b.ChannelName != spec.ChannelName {
		spec.ChannelName = b.ChannelName
		changed = append(changed, "channel_name")
	}
	if target := strings.TrimSpace(b.ExternalChannelID.text); b.ExternalChannelID.given && target != spec.ExternalChannelID {
		spec.ExternalChannelID = target
		changed = append(changed, "external_channel_id")
	}
	if b.ParseMode != nil && *b.ParseMode != spec.Markup() {
		spec.ParseMode = b.ParseMode
		changed = append(changed, "parse_mode")
	}
	return changed
}

func (p *person) channelAnswer(ctx context.Context, b bound) (*rest.Reply[rest.Envelope[Channel]], error) {
	shown, err := p.showChannels(ctx, b)
	if err != nil {
		return nil, err
	}
	return rest.OK(shown[0]), nil
}

// logTime bounds writing to the trail what was done already.
const logTime = 5 * time.Second

// logChannel writes a change of a channel to the trail. The manifest has been written:
// that the trail lacks it can only be told to whoever runs the console.
func (p *person) logChannel(ctx context.Context, id inbox.ChannelID, t inbox.EventType, changed []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTime)
	defer cancel()
	if err := p.desk.LogChannel(ctx, id, t, changed, p.Actor()); err != nil {
		p.s.log.ErrorContext(ctx, "a channel was changed and the audit trail does not have it",
			"alias", p.in.Alias, "channel", id.String(), "type", string(t), "actor", p.Actor(), "error", err)
	}
}

const (
	nameLetters = "bcdfghjklmnpqrstvwxz2456789" // no vowels, so no words, and nothing that looks like another
	maxLabelLen = 63
	nameRandom  = 5
)

// bindingName makes the name of a manifest of the channel's: letters and digits of
// its name, and five random letters, so that two may be called alike.
func bindingName(channel string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(channel) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= maxLabelLen-nameRandom-1 {
			break
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" || base[0] < 'a' {
		base = strings.TrimSuffix("channel-"+base, "-")
		base = strings.TrimSuffix(base[:min(len(base), maxLabelLen-nameRandom-1)], "-")
	}
	random := make([]byte, nameRandom)
	_, _ = rand.Read(random) // never fails: it aborts the program instead
	for i, c := range random {
		random[i] = nameLetters[int(c)%len(nameLetters)]
	}
	return base + "-" + string(random)
}

// specFields are the API's names of a manifest's fields.
var specFields = []struct{ spec, field string }{
	{"spec.connectedAccountRef", "body.connected_account_id"},
	{"spec.externalChannelID", "body.external_channel_id"},
	{"spec.channelName", "body.channel_name"},
	{"spec.parseMode", "body.parse_mode"},
	{"spec.provider", "body.provider"},
	{"spec.active", "body.status"},
}

// fieldOf blames the field that a manifest was refused for, in the words of whoever refused it.
func fieldOf(err error) error {
	if inbox.CodeOf(err) != inbox.CodeInvalid {
		return err
	}
	info := rest.AsError(err).Info
	for _, f := range specFields {
		if _, message, about := strings.Cut(info.Message, f.spec+": "); about {
			e := fieldError(inbox.CodeUnprocessed, f.field, "%s", message)
			e.Err = err
			return e
		}
	}
	return err
}
