package project

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

func TestARotatedTokenIsAcceptedForTenMinutes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	one, two := []byte("one"), []byte("two")
	proof := func(token, old []byte, left time.Duration) inbox.ProofRow {
		r := inbox.ProofRow{TokenHash: token, OldTokenHash: old}
		if old != nil {
			r.OldUntil = now.Add(left)
		}
		return r
	}
	for name, c := range map[string]struct {
		was        inbox.ProofRow
		hash       []byte
		registered bool
		want       inbox.ProofRow
	}{
		"the first":                                   {inbox.ProofRow{}, one, false, proof(one, nil, 0)},
		"the same":                                    {proof(one, nil, 0), one, true, proof(one, nil, 0)},
		"another":                                     {proof(one, nil, 0), two, false, proof(two, one, 10*time.Minute)},
		"the provider knows it, time left":            {proof(two, one, time.Minute), two, true, proof(two, one, time.Minute)},
		"the provider knows it, time is up":           {proof(two, one, 0), two, true, proof(two, nil, 0)},
		"the provider does not know it yet":           {proof(two, one, 9*time.Minute), two, false, proof(two, one, 9*time.Minute)},
		"the provider does not know it, time runs on": {proof(two, one, 4*time.Minute), two, false, proof(two, one, 10*time.Minute)},
		"back to the old one":                         {proof(two, one, time.Minute), one, false, proof(one, two, 10*time.Minute)},
	} {
		got := c.was
		rotateToken(&got, c.hash, now, c.registered)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestJitterIsBounded(t *testing.T) {
	t.Parallel()
	for _, id := range [][16]byte{{}, {14: 0xff, 15: 0xff}, {14: 0x80}} {
		if j := jitter(id, checkJitter); j < 0 || j >= checkJitter {
			t.Errorf("%x: %s", id, j)
		}
	}
	if a, b := jitter([16]byte{14: 1}, checkJitter), jitter([16]byte{14: 2}, checkJitter); a == b {
		t.Error("two ids are due at one time")
	}
}
