package delivery

import (
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// claim asks the queue for more, when there may be more and there is room.
func (l *loop) claim(now time.Time) {
	if !now.Before(l.claimAt) {
		l.mayClaim = true
	}
	if l.claiming || l.closing || !l.mayClaim || l.lanes.ready(now) >= lowWaiting || now.Before(l.claimAfter) {
		return
	}
	poll := pollAlone
	if l.w.o.Listen != nil {
		poll = pollListening
	}
	l.claiming, l.mayClaim, l.claimAt = true, false, now.Add(poll)
	request := inbox.ClaimRequest{
		Limit: maxWaiting - l.lanes.ready(now), LaneLimit: laneSends * (1 + waitingRoom), MediaLimit: maxFetches - l.fetches - l.fetchers,
		Room: map[inbox.Lane]int{}, After: l.last,
		Lease: l.w.lease(), MediaLease: l.w.mediaLease(), Horizon: horizon, Pace: l.w.pace,
	}
	for key, ln := range l.lanes.all {
		if room := ln.room(now); key.media == key.Lane.Media() && room != request.LaneLimit {
			request.Room[key.Lane] = room
		}
	}
	l.task(func() func() {
		ctx, cancel := l.timed()
		defer cancel()
		claims, err := l.w.o.Queue.Claim(ctx, request)
		var work []inbox.Work
		if err == nil && len(claims.Claimed) > 0 {
			work, err = l.w.o.Queue.Load(ctx, claims.Claimed)
		}
		return func() { l.claimed(now, claims, work, err) }
	})
}

// pace is what a provider asks for in a conversation.
func (w *Worker) pace(name, threadExternalID string) inbox.Spacing {
	d, ok := w.o.Providers[name].(provider.Deliverer)
	if !ok {
		return inbox.Spacing{}
	}
	return inbox.Spacing(d.Pace(threadExternalID))
}

// claimed takes in what a claim brought.
func (l *loop) claimed(asked time.Time, claims inbox.Claims, work []inbox.Work, err error) {
	now := time.Now()
	l.claiming = false
	if err != nil {
		l.w.logFailure(l.ctx, "could not claim actions, trying again", err)
		l.claimAfter = now.Add(stepRetry)
		l.lookAt(l.claimAfter)
		for _, c := range claims.Claimed { // claimed, and not read
			l.releases = append(l.releases, c.Lease)
		}
		return
	}
	l.last = claims.Last
	l.mayClaim = l.mayClaim || claims.More
	if !claims.NextDue.IsZero() {
		l.lookAt(claims.NextDue)
	}
	for key, until := range claims.Full {
		l.lanes.get(laneKey{key, false}).fullUntil = until
		l.lookAt(until)
	}
	if len(claims.Claimed) == 0 {
		return
	}
	l.w.metrics.batches.WithLabelValues("claim").Observe(float64(len(claims.Claimed)))
	loaded := make(map[inbox.ActionID]*inbox.Work, len(work))
	for i := range work {
		loaded[work[i].Action] = &work[i]
	}
	for _, c := range claims.Claimed {
		j := &job{Work: inbox.Work{Claimed: c}, claimedAt: asked, lane: l.lanes.get(laneKey{c.Lane, c.Kind == inbox.FetchMedia})}
		why := "its message is gone"
		if found := loaded[c.Action]; found != nil {
			j.Work = *found
			why = obstacle(found, l.w.o.Providers)
		}
		l.admit(j, why)
	}
	if l.stopping {
		l.release(l.lanes.takeAll())
	}
}

const credentialUnread = "this worker can't read the connected account's credential: give it the key that credentials are sealed with"

// admit queues a job, or ends it when something is in its way.
func (l *loop) admit(j *job, why string) {
	var s inbox.Settlement
	switch {
	case why != "":
		s = fail(j, why)
	default:
		credential, err := l.w.secrets.credential(j.Account, j.Source)
		if err == nil {
			j.credential = credential
			l.prepare(j)
			l.waiting++
			if j.media() {
				l.fetchers++
			}
			l.lanes.put(j)
			return
		}
		// Ours to mend, not the tenant's: it may pass.
		l.w.log.ErrorContext(l.ctx, "can't open a credential", "action", j.Action.String(), "error", err)
		s = l.w.rules.settle(j, inbox.Outcome{Kind: inbox.Later, Reason: credentialUnread}, j.Age)
		if s.Status == inbox.ActionPending {
			s.Wait = min(firstBackoff+j.Age/2, mostBackoff) // there is no attempt to count
		}
	}
	l.count(j)
	j.lane.open++
	l.finish(finished{job: j, settlement: s, outcome: "not_sent"})
}

// prepare finds what is to be sent: the parts that the provider does not have yet.
func (l *loop) prepare(j *job) {
	p := l.w.o.Providers[j.Provider]
	if j.media() {
		j.fetcher = p.(provider.MediaFetcher)
		return
	}
	j.deliverer = p.(provider.Deliverer)
	reply := provider.Reply{ThreadExternalID: j.ThreadExternalID, ParentExternalID: j.ParentExternalID, Text: j.Text, ParseMode: j.Channel.ParseMode}
	j.parts = j.deliverer.Parts(reply)
	has := make(map[int]bool, len(j.Delivered))
	for _, part := range j.Delivered {
		has[part] = true
	}
	for j.part < len(j.parts) && has[j.part] {
		j.part++
	}
}

// count begins counting a job as one under way.
func (l *loop) count(j *job) {
	if j.media() {
		l.fetches++
	} else {
		l.sends++
	}
}

// unsent puts jobs back into the queue of which it is not known whether they were
// recorded as started.
func (l *loop) unsent(jobs []*job) {
	for _, j := range jobs {
		l.unqueue(j)
		l.count(j)
		j.lane.open++
		s := inbox.Settlement{Lease: j.Lease, Lane: j.Lane, Source: j.Source, Status: inbox.ActionPending}
		l.finish(finished{job: j, settlement: s, outcome: "not_sent"})
	}
}
