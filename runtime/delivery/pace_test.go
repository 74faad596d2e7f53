package delivery_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// gaps are the times between sends, and the least of them.
func gaps(sends []sent) (least time.Duration, rest []time.Duration) {
	slices.SortFunc(sends, func(a, b sent) int { return a.at.Compare(b.at) })
	for i := 1; i < len(sends); i++ {
		rest = append(rest, sends[i].at.Sub(sends[i-1].at))
	}
	if len(rest) == 0 {
		return 0, nil
	}
	return slices.Min(rest), rest
}

// most is the most sends in any stretch of time of a length.
func most(sends []sent, period time.Duration) int {
	slices.SortFunc(sends, func(a, b sent) int { return a.at.Compare(b.at) })
	n, from := 0, 0
	for i := range sends {
		for sends[i].at.Sub(sends[from].at) >= period {
			from++
		}
		n = max(n, i-from+1)
	}
	return n
}

// An account's sends keep their distance, whichever of two workers sends them, and
// lose little time.
func TestAccountPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	const spacing, n = 50 * time.Millisecond, 40
	f := byChat(nil)
	f.pace = func(string) provider.Pace { return provider.Pace{Account: spacing} }
	for i := range n {
		ten.thread(t, chatName(i)).reply(t, "hello")
	}
	w.run(t, f)
	w.run(t, f)
	w.settled(t)
	sends := f.calls()
	if got := most(sends, time.Second); got > int(time.Second/spacing)+2 { // on a busy machine some are late
		t.Errorf("%d sends in a second, the pace allows %d", got, time.Second/spacing)
	}
	took := sends[len(sends)-1].at.Sub(sends[0].at)
	if least := spacing * (n - 1); took < least*95/100 {
		t.Errorf("%d sends in %s, faster than the pace", n, took)
	}
	w.balanced(t)
}

// Conversations keep a distance of their own; a forum's topics share one.
func TestConversationPace(t *testing.T) { // alone: it measures time
	w := newWorld(t)
	ten := w.tenant(t)
	const spacing = 150 * time.Millisecond
	f := byChat(nil)
	f.pace = func(thread string) provider.Pace {
		group, _, _ := strings.Cut(thread, ":")
		return provider.Pace{Account: time.Millisecond, Conversation: spacing, ConversationKey: group}
	}
	for _, name := range []string{"a", "b", "forum:1", "forum:2", "forum:3"} {
		th := ten.thread(t, name)
		for range 3 {
			th.reply(t, "hello")
		}
	}
	w.run(t, f)
	w.settled(t)
	by := map[string][]sent{}
	for _, s := range f.calls() {
		group, _, _ := strings.Cut(s.ThreadExternalID, ":")
		by[group] = append(by[group], s)
	}
	for group, sends := range by {
		least, all := gaps(sends)
		if least < spacing/3 { // a busy machine may make one late, and its next seem early
			t.Errorf("%s: %s between two sends, want %s: %v", group, least, spacing, all)
		}
	}
	if len(by["forum"]) != 9 || len(by["a"]) != 3 {
		t.Errorf("sent %d to the forum and %d to a", len(by["forum"]), len(by["a"]))
	}
	w.balanced(t)
}

// Several conversations that are asked to wait at once mean the whole account.
func TestAccountAskedToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	var until atomic.Int64
	var early atomic.Int32
	f := &fake{pace: func(thread string) provider.Pace {
		return provider.Pace{Account: 5 * time.Millisecond, Conversation: 5 * time.Millisecond, ConversationKey: thread}
	}}
	f.deliver = func(_ context.Context, _ provider.Credential, _ provider.Reply) inbox.Outcome {
		now := time.Now()
		if until.CompareAndSwap(0, now.Add(time.Second).UnixNano()) {
			return inbox.Outcome{Kind: inbox.Later, RetryAfter: time.Second}
		}
		if left := time.Unix(0, until.Load()).Sub(now); left > 0 {
			early.Add(1)
			return inbox.Outcome{Kind: inbox.Later, RetryAfter: (left + time.Second - 1).Truncate(time.Second)}
		}
		return delivered(1)
	}
	for i := range 100 {
		ten.thread(t, chatName(i)).reply(t, "hello")
	}
	w.run(t, f)
	w.settled(t)
	if n := early.Load(); n < 1 || n > 60 {
		t.Errorf("%d sends after the account was asked to wait", n)
	}
	w.balanced(t)
}
