package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// genericWebhook is the provider that takes JSON from anybody with a key, and so
// meets clients that did not say that they send JSON.
const genericWebhook = "generic-webhook"

// ingestTimeout bounds an event's way into the database. The Store decides sooner;
// this is for one that does not.
const ingestTimeout = 25 * time.Second

// answer is what a webhook call gets when it was not refused.
type answer struct {
	status  string // accepted, duplicate or ignored
	reason  string // of ignored
	receipt inbox.Receipt
}

// webhook takes in one provider call. It writes the answer and tells the observer.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request, name string, o *observation) {
	a, err := s.takeIn(w, r, name, o)
	if err != nil {
		e := AsError(err)
		s.metrics.ingested(s.knownName(name), string(e.Info.Code))
		o.fail(e)
		e.write(w)
		return
	}
	s.metrics.ingested(name, a.status)
	o.code = http.StatusOK
	if a.status == "accepted" {
		o.code = http.StatusAccepted
	}
	body := a.append(make([]byte, 0, 192), name)
	h := w.Header()
	h["Content-Type"] = jsonType
	w.WriteHeader(o.code)
	_, _ = w.Write(body) // whoever hung up asks again, and gets the same ids
}

// append writes the answer as JSON. Ids and names need no escaping.
func (a *answer) append(b []byte, name string) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, a.status...)
	b = append(b, `","provider":"`...)
	b = append(b, name...)
	b = append(b, '"')
	if a.status == "ignored" {
		reason, _ := json.Marshal(a.reason) // a text always has JSON
		b = append(b, `,"reason":`...)
		b = append(b, reason...)
		return append(b, "}\n"...)
	}
	if !a.receipt.ThreadID.IsZero() {
		b = append(b, `,"thread_id":"`...)
		b = append(b, a.receipt.ThreadID.String()...)
		b = append(b, '"')
	}
	if !a.receipt.MessageID.IsZero() {
		b = append(b, `,"message_id":"`...)
		b = append(b, a.receipt.MessageID.String()...)
		b = append(b, '"')
	}
	return append(b, "}\n"...)
}

func (s *Server) takeIn(w http.ResponseWriter, r *http.Request, name string, o *observation) (answer, error) {
	p := s.providers[name]
	if p == nil {
		return answer{}, s.errUnknownProvider
	}
	if r.Method != http.MethodPost {
		return answer{}, errMethod("POST")
	}
	snap, err := s.settings.get(r.Context())
	if err != nil {
		return answer{}, err
	}
	if snap.Instance.Suspended {
		return answer{}, errSuspended
	}
	src := snap.sources[name]
	if src == nil {
		return answer{}, Failure(inbox.CodeForbidden, "this inbox does not take events of "+name+": have the provider allowed on the instance")
	}
	now := s.now()
	who, refused := snap.caller(r.Header, now)
	if who != nil {
		o.caller = who
	}
	if len(src.proofs) == 0 {
		if refused := admit(w, who, refused, now); refused != nil {
			return answer{}, refused
		}
	}
	if e := checkMedia(r.Header, name); e != nil {
		return answer{}, e
	}
	held := lease{budgets: [2]*budget{s.bodies, nil}}
	if who == nil {
		held.budgets[1] = s.strangers
	}
	defer held.end()
	body, e := readBody(w, r, int64(snap.Instance.BodyLimit), &held)
	if e != nil {
		return answer{}, e
	}
	call := provider.Request{Header: r.Header, Body: body}
	account, proven := src.fallback, false
	if len(src.proofs) > 0 {
		var found provider.Proof
		if found, proven = p.Authenticate(&call, src.proofs); proven {
			account = found
		} else if refused := admit(w, who, refused, now); refused != nil {
			return answer{}, unproven(refused, who, name)
		}
	}
	in, err := p.Normalize(&call, account)
	if err != nil {
		if ignored, is := errors.AsType[provider.Ignored](err); is {
			return answer{status: "ignored", reason: ignored.Reason}, nil
		}
		return answer{}, err
	}
	var proof inbox.AccountID
	if proven {
		proof = account.AccountID
	}
	channel, bound := snap.Bind(name, in.Source, proof, in.Target, !proven)
	if !bound && proven {
		return answer{status: "ignored", reason: "no active channel of this inbox binds where this comes from"}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), ingestTimeout)
	defer cancel()
	receipt, err := s.store.Ingest(ctx, channel.ID, in)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: "accepted", receipt: receipt}
	if receipt.Duplicate {
		a.status = "duplicate"
	}
	return a, nil
}

// admit lets a caller with the write scope in, within its rate limit.
func admit(w http.ResponseWriter, who *caller, refused *Error, now time.Time) *Error {
	if who == nil {
		return refused
	}
	if e := who.spend(w.Header(), now); e != nil {
		return e
	}
	return who.allow(inbox.ScopeWrite)
}

// unproven tells a caller without a key that the provider's proof would do too.
func unproven(refused *Error, who *caller, name string) *Error {
	if who == nil {
		refused.Info.Message = "the call carries neither a proof of " + name + " that fits a connected account, nor an API key of this inbox: " +
			"check the webhook's secret on both sides, or send X-API-Key: sk_…"
	}
	return refused
}

// checkMedia refuses what is plainly no JSON, or is packed.
func checkMedia(h http.Header, name string) *Error {
	if v := h["Content-Encoding"]; len(v) > 0 && v[0] != "" && v[0] != "identity" {
		return Failure(codeMediaType, "compressed bodies are not taken: send it without Content-Encoding")
	}
	if name != genericWebhook {
		return nil
	}
	v := h["Content-Type"]
	if len(v) == 0 || v[0] == "application/json" {
		return nil
	}
	media, _, _ := strings.Cut(v[0], ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch {
	case media == "application/x-www-form-urlencoded":
		return Failure(codeMediaType, "the event must be JSON, and this call says that it is a form, as curl -d does by itself: add the header Content-Type: application/json")
	case strings.HasPrefix(media, "multipart/"), strings.HasSuffix(media, "xml"), media == "text/html",
		strings.HasPrefix(media, "image/"), strings.HasPrefix(media, "video/"), strings.HasPrefix(media, "audio/"):
		return Failure(codeMediaType, "the event must be JSON: send a JSON object with the header Content-Type: application/json")
	}
	return nil
}

var errSuspended = Failure(inbox.CodeUnavailable, "this inbox is suspended: ask whoever runs it to resume it").retryAfter(time.Minute)

func errMethod(allow string) *Error {
	return Failure(codeMethod, "this path takes the method "+allow+" only").With("Allow", allow)
}
