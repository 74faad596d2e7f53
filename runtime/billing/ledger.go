package billing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// References name entries. One that is taken can't be written again, and that is
// what keeps anything from being charged or refunded twice: an event by its
// message, a reply by its action and how often it was requeued.

// InboundReference is the charge for a message that came in.
func InboundReference(m inbox.MessageID) string { return "inbound:" + m.UUID() }

// ReplyReference is the charge for an action that was requeued so many times before.
func ReplyReference(a inbox.ActionID, requeues int) string {
	return fmt.Sprintf("reply:%s:%d", a.UUID(), requeues)
}

// LateReference is the charge for a reply that turned out delivered after its
// outcome was taken for unknown, and its first charge refunded.
func LateReference(a inbox.ActionID, requeues int) string {
	return ReplyReference(a, requeues) + ":late"
}

const refundPrefix = "refund:"

// RefundReference is the refund of an entry.
func RefundReference(entry string) string { return refundPrefix + entry }

// CreditReference is a credit under a key of whoever gives it, so that giving it
// again under that key gives nothing.
func CreditReference(key string) string { return "credit:" + key }

// Entry is one line of an instance's ledger.
type Entry struct {
	Reference string
	Kind      inbox.EntryKind
	Amount    inbox.MicroUSD // negative: charged
}

// ErrNoRefund means that an entry can't be refunded.
var ErrNoRefund = errors.New("only the charge of a reply can be refunded")

// Refund is the entry that takes a charge back: all of it, under a reference that
// can be written once.
func Refund(of Entry) (Entry, error) {
	if of.Kind != inbox.EntryReply || of.Amount > 0 {
		return Entry{}, ErrNoRefund
	}
	return Entry{Reference: RefundReference(of.Reference), Kind: inbox.EntryRefund, Amount: -of.Amount}, nil
}

// Refunded is the reference of the entry that a refund takes back.
func Refunded(reference string) (entry string, ok bool) {
	return strings.CutPrefix(reference, refundPrefix)
}
