package delivery

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

// filled makes lanes of so many jobs each, by their names.
func filled(now time.Time, names map[string]int) *lanes {
	ls := &lanes{all: map[laneKey]*lane{}}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "media:a"} {
		key := inbox.Lane{Name: name}
		for range names[name] {
			j := &job{lane: ls.get(laneKey{key, key.Media()})}
			j.SendAt = now
			if key.Media() {
				j.Kind = inbox.FetchMedia
			}
			ls.put(j)
		}
	}
	return ls
}

func (ls *lanes) named(name string) *lane {
	key := inbox.Lane{Name: name}
	return ls.get(laneKey{key, key.Media()})
}

func counts(jobs []*job) map[string]int {
	n := map[string]int{}
	for _, j := range jobs {
		n[j.lane.key.Name]++
	}
	return n
}

func TestPick(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		jobs    map[string]int
		prepare func(*lanes)
		sends   int
		fetches int
		want    map[string]int
		next    time.Duration
	}{
		"a lane has its limit": {
			jobs: map[string]int{"a": 40}, sends: 64, want: map[string]int{"a": laneSends},
		},
		"lanes take turns": {
			jobs: map[string]int{"a": 40, "b": 40, "c": 2}, sends: 20, want: map[string]int{"a": 4, "b": 4, "c": 2},
		},
		"the last free ones are for lanes with few": {
			jobs: map[string]int{"a": 40, "b": 40, "c": 40, "d": 40}, sends: 64,
			want: map[string]int{"a": 12, "b": 12, "c": 12, "d": 12},
		},
		"and they get them": {
			jobs: map[string]int{"a": 40, "e": 9}, sends: 16,
			prepare: func(ls *lanes) { ls.named("a").open = 12 },
			want:    map[string]int{"e": 4},
		},
		"a suspect lane sends one at a time": {
			jobs: map[string]int{"a": 40, "b": 40}, sends: 64,
			prepare: func(ls *lanes) { ls.named("a").suspect = true },
			want:    map[string]int{"a": 1, "b": laneSends},
		},
		"files are counted apart": {
			jobs: map[string]int{"a": 2, "media:a": 9}, sends: 1, fetches: 9, want: map[string]int{"a": 1, "media:a": laneFetches},
		},
		"no place": {
			jobs: map[string]int{"a": 2, "media:a": 9}, want: map[string]int{},
		},
		"a place in the pacing is waited for": {
			jobs: map[string]int{"a": 1, "b": 1}, sends: 9,
			prepare: func(ls *lanes) { ls.named("a").queue[0].SendAt = now.Add(time.Second) },
			want:    map[string]int{"b": 1}, next: time.Second,
		},
		"a start begins a little before its time": {
			jobs: map[string]int{"a": 1}, sends: 9,
			prepare: func(ls *lanes) { ls.named("a").queue[0].SendAt = now.Add(startLead) },
			want:    map[string]int{"a": 1},
		},
	} {
		ls := filled(now, c.jobs)
		if c.prepare != nil {
			c.prepare(ls)
		}
		jobs, next := ls.pick(now, c.sends, c.fetches)
		if d := cmp.Diff(c.want, counts(jobs)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if wait := next.Sub(now); c.next > 0 && wait != c.next || c.next == 0 && !next.IsZero() {
			t.Errorf("%s: the next is due at %s", name, next)
		}
		left := map[string]int{}
		for key, l := range ls.all {
			left[key.Name] = len(l.queue)
		}
		for name, n := range counts(jobs) {
			left[name] += n
		}
		if d := cmp.Diff(c.jobs, left); d != "" {
			t.Errorf("%s: jobs were lost: %s", name, d)
		}
	}
}

// Suspect lanes together leave most of the places to others.
func TestSuspectsTogether(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ls := &lanes{all: map[laneKey]*lane{}}
	for i := range 40 {
		l := ls.get(laneKey{Lane: inbox.Lane{Name: fmt.Sprint(i)}})
		l.suspect = true
		ls.put(&job{lane: l})
	}
	if jobs, _ := ls.pick(now, MaxSends, 0); len(jobs) != suspectSends {
		t.Errorf("%d suspects were let go, want %d", len(jobs), suspectSends)
	}
	if jobs, _ := ls.pick(now, MaxSends, 0); len(jobs) != 0 {
		t.Errorf("%d more suspects were let go", len(jobs))
	}
}

func TestUnpickKeepsTheOrder(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ls := filled(now, map[string]int{"a": 30, "b": 3})
	before := map[*lane][]*job{}
	for _, l := range ls.all {
		before[l] = append([]*job(nil), l.queue...)
	}
	jobs, _ := ls.pick(now, 20, 0)
	ls.unpick(jobs)
	for l := range maps.Keys(before) {
		if l.open != 0 || len(l.queue) != len(before[l]) {
			t.Fatalf("lane %s: %d open, %d queued", l.key.Name, l.open, len(l.queue))
		}
		for i := range l.queue {
			if l.queue[i] != before[l][i] {
				t.Errorf("lane %s: job %d is another", l.key.Name, i)
			}
		}
	}
	if len(ls.ring) != 2 {
		t.Errorf("%d lanes in the ring", len(ls.ring))
	}
}

func TestLaneRemembersAnswers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	asked := inbox.Outcome{Kind: inbox.Later, RetryAfter: 5 * time.Second}
	l := &lane{}
	for i, step := range []struct {
		after   time.Duration
		chat    string
		outcome inbox.Outcome
		suspect bool
		hold    time.Duration
	}{
		{0, "a", inbox.Outcome{Kind: inbox.Delivered}, false, 0},
		{0, "a", inbox.Outcome{Kind: inbox.Unknown}, true, 0},
		{0, "a", inbox.Outcome{Kind: inbox.Refused}, false, 0},
		{0, "a", inbox.Outcome{Kind: inbox.Later}, true, 0},
		{0, "a", inbox.Outcome{Kind: inbox.Later, MigratedTo: "b"}, false, 0},
		{0, "a", asked, false, 0},
		{time.Second, "a", asked, false, 0},
		{2 * time.Second, "b", asked, false, 5 * time.Second},
		{8 * time.Second, "c", asked, false, 0},
	} {
		hold := l.answered(now.Add(step.after), step.chat, step.outcome)
		if l.suspect != step.suspect || hold != step.hold {
			t.Errorf("step %d: suspect %t, hold %s", i, l.suspect, hold)
		}
	}
}

// Sends that were late don't catch up faster than the provider takes them, neither
// as they are planned nor as they leave.
func TestSendsKeepTheirDistance(t *testing.T) {
	t.Parallel()
	const spacing, n = 32 * time.Millisecond, 8
	now := time.Now()
	ls := &lanes{all: map[laneKey]*lane{}}
	l := ls.get(laneKey{})
	for i := range n {
		j := &job{lane: l}
		j.Spacing.Account = spacing
		j.SendAt = now.Add(time.Duration(i-n) * spacing) // all of them late
		ls.put(j)
	}
	first, _ := ls.pick(now, MaxSends, 0)
	ls.unpick(first)
	var jobs []*job
	for at := now; len(jobs) < n; at = at.Add(time.Millisecond) {
		picked, _ := ls.pick(at, MaxSends, 0)
		jobs = append(jobs, picked...)
	}
	for i, j := range jobs {
		if i > 0 && j.at.Sub(jobs[i-1].at) < spacing*31/32 {
			t.Errorf("send %d is planned %s after the one before it", i, j.at.Sub(jobs[i-1].at))
		}
	}
	left := make(chan time.Time, n)
	for _, j := range jobs {
		j.at = now // they wake up together
		go func() {
			if err := l.gate.pass(t.Context(), j); err != nil {
				t.Error(err)
			}
			left <- time.Now()
		}()
	}
	var last time.Time
	for i := range n {
		at := <-left
		if gap := at.Sub(last); i > 0 && gap < spacing/2 { // they leave the gate in order; this goroutine may be late
			t.Errorf("send %d left %s after the one before it", i, gap)
		}
		last = at
	}
}
