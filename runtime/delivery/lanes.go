package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// How the worker shares itself out. A lane whose provider hangs, or can't be
// reached, is suspect until it answers: it may then try with one send at a time,
// and all suspect lanes together hold a quarter of the sends at most, so that the
// others go on.
const (
	laneSends    = 16           // of one lane under way
	fairSends    = 4            // of one lane, when others are to find some of the last free
	freeSends    = MaxSends / 4 // the last, which are for lanes with few
	suspectSends = MaxSends / 4 // of all suspect lanes under way
	maxFetches   = 4            // files being fetched
	laneFetches  = 2            // of them of one lane

	maxWaiting = 192 // actions claimed and not started
	lowWaiting = 64  // below it more are claimed
	// Room for waiting actions beside each that may be under way.
	waitingRoom = 2

	usualAnswer = time.Second // what a provider takes for an answer at most, while it is well
)

// job is a claimed action on its way.
type job struct {
	inbox.Work
	lane       *lane
	at         time.Time // when it is to leave, once it was picked
	after      time.Time // when the one before it was
	claimedAt  time.Time
	credential provider.Credential
	deliverer  provider.Deliverer // of a reply
	parts      []provider.Reply
	part       int                   // the next to be sent; len(parts) when all are
	fetcher    provider.MediaFetcher // of a file
}

func (j *job) media() bool { return j.Kind == inbox.FetchMedia }

// laneKey is a lane as the worker sees it. A tenant may have put files into a lane of
// replies; they don't mix here.
type laneKey struct {
	inbox.Lane
	media bool
}

// lane is what the loop knows of one.
type lane struct {
	key       laneKey
	queue     []*job // waiting for its place
	open      int    // started, or about to be, and not settled
	suspect   bool
	progress  time.Time // of the last answer, or of the first send after nothing was under way
	fullUntil time.Time // booked up by pacing
	planned   time.Time // of the last send that was let go
	gate      gate

	// The last conversation that was asked to wait, and until when.
	throttled      string
	throttledUntil time.Time
}

func (l *lane) limit() int {
	switch {
	case l.key.media:
		return laneFetches
	case l.suspect:
		return 1
	}
	return laneSends
}

// room is how many more actions may be claimed for the lane.
func (l *lane) room(now time.Time) int {
	if now.Before(l.fullUntil) {
		return 0
	}
	limit := l.limit()
	most := limit
	if !l.key.media {
		most += limit * waitingRoom
	}
	room := max(0, most-len(l.queue)-l.open)
	if len(l.queue) > 0 && room < limit/2 {
		return 0 // not worth a claim yet
	}
	return room
}

// stuck tells that the lane waits for an answer longer than one usually takes.
func (l *lane) stuck(now time.Time) bool { return l.open > 0 && now.Sub(l.progress) > usualAnswer }

// full tells that none of the lane's waiting jobs can start.
func (l *lane) full() bool { return l.open >= l.limit() }

// excess takes the jobs out of the queue that a suspect lane will not get to soon.
func (l *lane) excess() []*job {
	keep := l.limit() * waitingRoom
	if !l.suspect || len(l.queue) <= keep {
		return nil
	}
	rest := l.queue[keep:]
	l.queue = l.queue[:keep:keep]
	return rest
}

// idle tells that there is nothing to remember.
func (l *lane) idle(now time.Time) bool {
	return len(l.queue) == 0 && l.open == 0 && !l.suspect && !now.Before(l.fullUntil) && !now.Before(l.throttledUntil) &&
		now.Sub(l.planned) > time.Minute
}

// plan is when a job's send should leave: at its place in the pacing, and never
// bunched with the one before it because that was late.
func (l *lane) plan(j *job) time.Time {
	if least := l.planned.Add(leastSpacing(j)); j.Spacing.Account > 0 && least.After(j.SendAt) {
		return least
	}
	return j.SendAt
}

// leastSpacing is a little less than what the provider asks for, as far as that is
// within its limits, so that sends that were late catch up.
func leastSpacing(j *job) time.Duration { return j.Spacing.Account - j.Spacing.Account/32 }

// gate keeps an account's sends apart as they really leave, however late each is.
type gate struct {
	mu   sync.Mutex
	last time.Time
}

// pass waits for the job's turn, or for the end of ctx.
func (g *gate) pass(ctx context.Context, j *job) error {
	if err := sleep(ctx, time.Until(j.at)); err != nil || j.Spacing.Account <= 0 {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := sleep(ctx, time.Until(g.last.Add(leastSpacing(j)))); err != nil {
		return err
	}
	g.last = time.Now()
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answered takes note of how a send went: whether the provider is there, and
// whether it asks the account, not only one conversation, to wait.
func (l *lane) answered(now time.Time, conversation string, o inbox.Outcome) (holdAccount time.Duration) {
	l.progress = now
	asked := o.Kind == inbox.Later && o.RetryAfter > 0
	l.suspect = o.Kind == inbox.Unknown || o.Kind == inbox.Later && !asked && o.MigratedTo == ""
	if !asked {
		return 0
	}
	if now.Before(l.throttledUntil) && l.throttled != conversation {
		holdAccount = o.RetryAfter // two conversations at once: it is not about them
	}
	l.throttled, l.throttledUntil = conversation, now.Add(o.RetryAfter)
	return holdAccount
}

// lanes are all that the loop knows, visited in turn.
type lanes struct {
	all  map[laneKey]*lane
	ring []*lane // those with a queue
	at   int     // where in the ring the next round begins
}

func (ls *lanes) get(key laneKey) *lane {
	l := ls.all[key]
	if l == nil {
		l = &lane{key: key}
		ls.all[key] = l
	}
	return l
}

// put queues a job at its lane.
func (ls *lanes) put(j *job) {
	if len(j.lane.queue) == 0 {
		ls.ring = append(ls.ring, j.lane)
	}
	j.lane.queue = append(j.lane.queue, j)
}

// putBack queues jobs in front of their lanes, in their order.
func (ls *lanes) putBack(jobs []*job) {
	for _, j := range slices.Backward(jobs) {
		l := j.lane
		if len(l.queue) == 0 {
			ls.ring = append(ls.ring, l)
		}
		l.queue = append([]*job{j}, l.queue...)
	}
}

// unpick undoes a pick.
func (ls *lanes) unpick(jobs []*job) {
	for _, j := range slices.Backward(jobs) {
		j.lane.open--
		j.lane.planned = j.after
	}
	ls.putBack(jobs)
}

// takeAll empties every queue.
func (ls *lanes) takeAll() []*job {
	var jobs []*job
	for _, l := range ls.ring {
		jobs = append(jobs, l.queue...)
		l.queue = nil
	}
	ls.ring, ls.at = nil, 0
	return jobs
}

// pick takes the jobs that may start: by turns one of each lane whose first job's
// time has come and that is not at its limit. It tells when the next one's time comes.
func (ls *lanes) pick(now time.Time, sends, fetches int) (jobs []*job, next time.Time) {
	suspects := suspectSends
	for _, l := range ls.all {
		if l.suspect && !l.key.media {
			suspects -= l.open
		}
	}
	for progress := true; progress; {
		progress = false
		for range len(ls.ring) {
			if ls.at >= len(ls.ring) {
				ls.at = 0
			}
			l := ls.ring[ls.at]
			left := &sends
			if l.key.media {
				left = &fetches
			}
			first := l.queue[0]
			at := l.plan(first)
			switch {
			case *left <= 0, l.full(), l.suspect && !l.key.media && suspects <= 0:
			case l.crowded(sends):
			case at.Sub(now) > startLead:
				if next.IsZero() || at.Before(next) {
					next = at
				}
			default:
				first.at, first.after, l.planned = at, l.planned, at
				jobs = append(jobs, first)
				*left--
				if l.open++; l.open == 1 {
					l.progress = now
				}
				if l.suspect {
					suspects--
				}
				progress = true
				if l.queue = l.queue[1:]; len(l.queue) == 0 {
					l.queue = nil
					ls.ring = append(ls.ring[:ls.at], ls.ring[ls.at+1:]...)
					continue
				}
			}
			ls.at++
		}
	}
	return jobs, next
}

// crowded tells that the lane has its share of the last free sends.
func (l *lane) crowded(sends int) bool {
	return !l.key.media && l.open >= fairSends && sends <= freeSends
}

// startable counts waiting jobs that could start while so many sends are free, if
// their time has come.
func (ls *lanes) startable(sends int) int {
	n := 0
	for _, l := range ls.ring {
		if !l.full() && !l.crowded(sends) {
			n += len(l.queue)
		}
	}
	return n
}

// ready counts waiting jobs that will start soon: those of lanes that hang are no
// reason to claim nothing for others.
func (ls *lanes) ready(now time.Time) int {
	n := 0
	for _, l := range ls.ring {
		if !l.stuck(now) {
			n += len(l.queue)
		}
	}
	return n
}

// forget drops lanes of which there is nothing to remember.
func (ls *lanes) forget(now time.Time) {
	if len(ls.all) < 1024 {
		return
	}
	for key, l := range ls.all {
		if l.idle(now) {
			delete(ls.all, key)
		}
	}
}
