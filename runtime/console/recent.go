package console

import (
	"sync"
	"time"
)

// maxRecent bounds what is remembered: beyond it, all is forgotten and read anew.
const maxRecent = 10_000

// recent remembers what was read a short while ago.
type recent[K comparable, V any] struct {
	ttl time.Duration
	now func() time.Time

	mu     sync.Mutex
	values map[K]remembered[V]
}

type remembered[V any] struct {
	value V
	until time.Time
}

func newRecent[K comparable, V any](ttl time.Duration, now func() time.Time) *recent[K, V] {
	return &recent[K, V]{ttl: ttl, now: now, values: map[K]remembered[V]{}}
}

// get is the value, or what read finds: its failures are not remembered.
func (r *recent[K, V]) get(k K, read func() (V, error)) (V, error) {
	begin := r.now()
	r.mu.Lock()
	known, is := r.values[k]
	r.mu.Unlock()
	if is && begin.Before(known.until) {
		return known.value, nil
	}
	v, err := read()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(r.values, k)
		return v, err
	}
	if len(r.values) >= maxRecent {
		clear(r.values)
	}
	r.values[k] = remembered[V]{v, begin.Add(r.ttl)}
	return v, nil
}
