package controllers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

func TestLibraryLogIsQuiet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := logr.FromSlogHandler(libraryLog{slog.NewTextHandler(&out, nil), &repeats{}})
	l.Info("Starting EventSource")
	for range 3 {
		l.WithValues("controller", "x").Error(errors.New("secrets is forbidden"), "Failed to watch", "type", "*v1.Secret")
	}
	l.Error(errors.New("pods is forbidden"), "Failed to watch", "type", "*v1.Pod")
	l.Error(errors.New("of ours"), "Reconciler error")
	l.Error(fmt.Errorf("reading: %w", context.Canceled), "Unexpected error when reading response body")
	if got := strings.Count(out.String(), "\n"); got != 2 || !strings.Contains(out.String(), "controller=x") || strings.Contains(out.String(), "goroutine") {
		t.Errorf("%d lines:\n%s", got, out.String())
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	r, now := &repeats{}, time.Unix(0, 0)
	if !r.first("a", now) || r.first("a", now.Add(time.Minute)) || !r.first("b", now) || !r.first("a", now.Add(repeatAfter)) {
		t.Error("a text is told too often, or never again")
	}
}
