package delivery

import (
	"fmt"
	"strings"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	firstBackoff = time.Second
	mostBackoff  = 5 * time.Minute
)

// rules turn what a provider said into what becomes of an action.
type rules struct {
	giveUpAfter      time.Duration
	callbackDeadline time.Duration
	chance           func() float64 // in [0, 1)
}

// settle says what becomes of a job after one send. age is the time since it was queued.
func (r rules) settle(j *job, o inbox.Outcome, age time.Duration) inbox.Settlement {
	s := inbox.Settlement{
		Lease: j.Lease, MessageID: j.MessageID, Lane: j.Lane, Source: j.Source, Spacing: j.Spacing,
		MigratedFrom: j.ThreadExternalID, MigratedTo: o.MigratedTo,
	}
	last := j.part >= len(j.parts)-1
	switch o.Kind {
	case inbox.Delivered, inbox.HandedOver:
		if j.part < len(j.parts) {
			s.Part = &inbox.SentPart{Index: j.part, Last: last, ExternalID: o.ExternalID}
		}
		switch {
		case !last:
			s.Status = inbox.ActionPending // its next part follows
		case o.Kind == inbox.HandedOver:
			s.Status, s.Wait = inbox.ActionAwaiting, r.callbackDeadline
		default:
			s.Status = inbox.ActionCompleted
		}
	case inbox.Later:
		s.Status, s.Error = inbox.ActionPending, reason(o, "it could not be sent")
		s.Wait, s.Hold = r.backoff(j.Attempts, o.RetryAfter), o.RetryAfter
		if age+s.Wait > r.giveUpAfter {
			s.Status, s.Error, s.Wait = inbox.ActionFailed, fmt.Sprintf("gave up after %s: %s", hours(r.giveUpAfter), s.Error), 0
		}
	case inbox.Refused:
		s.Status, s.Error = inbox.ActionFailed, reason(o, "the provider refused it")
	default: // Unknown, and whatever a provider should not have said
		s.Status, s.Error = inbox.ActionFailed, inbox.ErrOutcomeUnknown
	}
	return s
}

// fail ends a job that can't be sent at all.
func fail(j *job, why string) inbox.Settlement {
	return inbox.Settlement{Lease: j.Lease, MessageID: j.MessageID, Lane: j.Lane, Source: j.Source, Status: inbox.ActionFailed, Error: why}
}

// backoff is how long to wait after some attempts: what the provider asked for,
// else twice as long each time. Chance keeps those that failed together from coming back together.
func (r rules) backoff(attempts int, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked + time.Duration(r.chance()*float64(min(asked/10, time.Second)))
	}
	wait := mostBackoff
	if attempts < 9 { // 2^9 s are more than the most
		wait = min(firstBackoff<<attempts, mostBackoff)
	}
	return wait/2 + time.Duration(r.chance()*float64(wait/2))
}

func reason(o inbox.Outcome, otherwise string) string {
	if text := strings.TrimSpace(o.Reason); text != "" {
		return text
	}
	return otherwise
}

func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}
