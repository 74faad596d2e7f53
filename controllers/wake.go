package controllers

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// wake has a controller look at objects for reasons that no event tells of.
type wake struct{ queue queueRef }

// source hands the controller's queue over.
func (w *wake) source() source.Source {
	return source.Func(func(_ context.Context, q queue) error { w.queue.Store(&q); return nil })
}

// look asks for a look at objects. Before the controller runs it need not: it looks at all.
func (w *wake) look(names ...types.NamespacedName) {
	q := w.queue.Load()
	if q == nil {
		return
	}
	for _, n := range names {
		enqueue(*q, false, n)
	}
}
