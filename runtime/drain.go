package runtime

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// draining serves until it is told to stop, and ends so that nobody notices.
type draining struct {
	handler    http.Handler
	endStreams func() // what would otherwise go on for ever
	health     *Health
	drain      time.Duration // how long it goes on serving, until whoever routes here has noticed
	log        *slog.Logger
}

// serve ends with ctx, or at once when another part has failed.
func (d draining) serve(ctx, failed context.Context, l net.Listener) error {
	handler := &closing{Handler: d.handler}
	server := NewHTTPServer(handler)
	server.RegisterOnShutdown(d.endStreams)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	done := make(chan error, 1)
	go func() { done <- serveUntil(serving, server, l, grace) }()
	d.health.Ready()
	d.log.InfoContext(ctx, "serving", "address", l.Addr().String())
	select {
	case err := <-done:
		return err
	case <-failed.Done():
	case <-ctx.Done():
		d.health.NotReady("shutting down")
		handler.told.Store(true)
		select {
		case <-time.After(d.drain):
		case <-failed.Done():
		}
	}
	d.log.InfoContext(ctx, "draining")
	stopServing()
	return <-done
}
