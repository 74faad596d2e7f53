package controllers

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// repeatAfter is how long a line is held back that was written already.
const repeatAfter = 10 * time.Minute

// libraryLog is the log of controller-runtime and client-go: their warnings and
// errors, each once in a while, since they retry for ever. What our own reconciles
// fail with they need not tell as well.
type libraryLog struct {
	slog.Handler
	repeats *repeats
}

// hushed are lines that tell what is told otherwise, or nothing: a reconcile that
// fails tells so itself, and a lease that is given back is lost.
var hushed = map[string]bool{
	"Reconciler error": true,
	"error received after stop sequence was engaged": true,
}

// Enabled implements [slog.Handler].
func (l libraryLog) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && l.Handler.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (l libraryLog) Handle(ctx context.Context, r slog.Record) error {
	if hushed[r.Message] {
		return nil
	}
	text, expected := r.Message, false
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" || a.Key == "type" {
			text += " " + a.Value.String()
		}
		if err, ok := a.Value.Any().(error); ok {
			// The process ends, or a namespace does.
			expected = expected || errors.Is(err, context.Canceled) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
		}
		return true
	})
	if expected || !l.repeats.first(text, r.Time) {
		return nil
	}
	return l.Handler.Handle(ctx, r) //nolint:wrapcheck // the handler's own
}

// WithAttrs implements [slog.Handler].
func (l libraryLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return libraryLog{l.Handler.WithAttrs(attrs), l.repeats}
}

// WithGroup implements [slog.Handler].
func (l libraryLog) WithGroup(name string) slog.Handler {
	return libraryLog{l.Handler.WithGroup(name), l.repeats}
}

// libraryLogger is what the libraries log to.
func libraryLogger(log *slog.Logger) logr.Logger {
	return logr.FromSlogHandler(libraryLog{log.Handler(), &repeats{}})
}

// SetGlobalLogger is where those parts of the libraries log to that know only of a
// logger of the whole process. Nothing may call a library before: setting it is no
// safe thing to do beside a call.
func SetGlobalLogger(log *slog.Logger) {
	l := libraryLogger(log)
	ctrl.SetLogger(l)
	klog.SetLogger(l)
}

// repeats knows what was said lately.
type repeats struct {
	mu   sync.Mutex
	said map[string]time.Time
}

// manyTexts bounds what is remembered; beyond it all is forgotten.
const manyTexts = 1000

// first tells whether a text was not said within repeatAfter.
func (r *repeats) first(text string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.said[text]; ok && now.Before(at.Add(repeatAfter)) {
		return false
	}
	if r.said == nil || len(r.said) >= manyTexts {
		r.said = map[string]time.Time{}
	}
	r.said[text] = now
	return true
}
