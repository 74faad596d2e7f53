package delivery

import (
	"fmt"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// errUnpaid is the audit error of a reply that an Enforce instance can't pay.
const errUnpaid = "the balance does not cover the reply: add credit, then retry"

// obstacle tells a person what keeps work from being done, and what to do; empty: nothing.
func obstacle(w *inbox.Work, providers provider.Registry) string {
	kind, why := accountKind(w, providers)
	if why != "" {
		return why
	}
	c, a := w.Channel, w.Account
	switch {
	case w.Kind == inbox.FetchMedia && w.Attachment == nil:
		return "the attachment is gone"
	case w.Kind == inbox.SendReply && w.ContactBlocked:
		return "the contact has blocked us: wait until they write again, then retry"
	case c == nil:
		return fmt.Sprintf("no channel binds the conversation: bind one to an active %s account, then retry", kind)
	case !c.Active:
		return fmt.Sprintf("the channel %q is inactive: activate it, then retry", c.Name)
	case a == nil:
		return fmt.Sprintf("the channel %q has no connected account: give it an active %s account, then retry", c.Name, kind)
	case a.Kind != kind:
		return fmt.Sprintf("the connected account %q of the channel %q is a %s, not a %s: give the channel another, then retry", a.Name, c.Name, a.Kind, kind)
	case a.Source != "" && a.Source != w.Source || c.Source != "" && c.Source != w.Source:
		return fmt.Sprintf("the channel %q has another connected account than the one the contact wrote to: give it that one back, then retry", c.Name)
	case len(a.Credential) == 0:
		return fmt.Sprintf("the connected account %q has no credential any more: connect it anew, then retry", a.Name)
	}
	return ""
}

// accountKind is the kind of account that the work needs.
func accountKind(w *inbox.Work, providers provider.Registry) (kind, why string) {
	p, known := providers[w.Provider]
	if !known {
		return "", fmt.Sprintf("provider %s is not known here: run a worker that knows it, then retry", w.Provider)
	}
	d, delivers := p.(provider.Deliverer)
	_, fetches := p.(provider.MediaFetcher)
	switch {
	case w.Kind == inbox.SendReply && !delivers:
		return "", fmt.Sprintf("provider %s can't deliver replies: answer there by hand", w.Provider)
	case w.Kind == inbox.FetchMedia && (!fetches || !delivers):
		return "", fmt.Sprintf("provider %s can't fetch files", w.Provider)
	}
	return d.AccountKind(), ""
}
