package rest

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultMaxInFlight is how many bytes of webhook bodies are in memory at once,
// unless [Options] says otherwise: two of the largest, with room for small ones.
const DefaultMaxInFlight = 64 << 20

// budget bounds bytes in memory. What can't be had at once is refused: whoever
// sent it comes again, and memory is not filled by waiting.
type budget struct {
	free  atomic.Int64
	gauge prometheus.Gauge // bytes taken; nil: not shown
}

func newBudget(size int64, gauge prometheus.Gauge) *budget {
	b := &budget{gauge: gauge}
	b.free.Store(size)
	return b
}

func (b *budget) take(n int64) bool {
	for {
		free := b.free.Load()
		if n > free {
			return false
		}
		if b.free.CompareAndSwap(free, free-n) {
			if b.gauge != nil {
				b.gauge.Add(float64(n))
			}
			return true
		}
	}
}

func (b *budget) give(n int64) {
	b.free.Add(n)
	if b.gauge != nil {
		b.gauge.Sub(float64(n))
	}
}

// lease is what one request holds of several budgets.
type lease struct {
	budgets [2]*budget // the second may be nil
	n       int64
}

// grow takes more of every budget, or nothing.
func (l *lease) grow(n int64) bool {
	for i, b := range l.budgets {
		if b != nil && !b.take(n) {
			for _, taken := range l.budgets[:i] {
				if taken != nil {
					taken.give(n)
				}
			}
			return false
		}
	}
	l.n += n
	return true
}

func (l *lease) end() {
	for _, b := range l.budgets {
		if b != nil {
			b.give(l.n)
		}
	}
	l.n = 0
}
