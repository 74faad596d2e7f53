package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	eventsPerSecond = 20
	mostBehindMS    = 1000
	mostStreamsMB   = 150
	streamsPatience = 10 * time.Second // for the last event to reach the last client
)

// audience is many clients of one console's event stream, and what they saw.
type audience struct {
	events  int
	arrived []atomic.Int64 // by event: when the last client that has it had it, in nanoseconds since begun
	seen    []atomic.Int64 // by event: by how many
	begun   time.Time
	all     atomic.Int64 // sightings
}

// measureConsoleStreams has many clients follow one console while events come in at
// an even pace. Each client must see each event once and in order.
func measureConsoleStreams(ctx context.Context, b *bench) (rows []Row, err error) {
	if err := b.truncate(ctx); err != nil {
		return nil, err
	}
	d, err := b.openDesk(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	clients, events := b.scale.streams, int(b.scale.streamFor.Seconds()*eventsPerSecond)
	a := &audience{events: events, arrived: make([]atomic.Int64, events), seen: make([]atomic.Int64, events), begun: time.Now()}

	following, stop := context.WithCancel(ctx)
	defer stop()
	g, following := errgroup.WithContext(following)
	var connected sync.WaitGroup
	for range clients {
		connected.Add(1)
		g.Go(func() error { return a.follow(following, d, connected.Done) })
	}
	connected.Wait()
	if err := context.Cause(following); err != nil {
		return nil, errors.Join(err, g.Wait())
	}
	idle, err := peakMB(d.console.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	b.say("  %d clients are connected, the console took %.0f MB at most", clients, idle)
	answered, err := b.postEvents(following, d, a)
	if err != nil {
		return nil, errors.Join(err, g.Wait())
	}
	deadline := time.Now().Add(streamsPatience)
	for a.all.Load() < int64(clients*events) && time.Now().Before(deadline) && following.Err() == nil {
		time.Sleep(settlePoll)
	}
	peak, err := peakMB(d.console.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	stop()
	if err := g.Wait(); err != nil {
		return nil, err
	}
	behind := make([]float64, events)
	for i := range behind {
		if n := a.seen[i].Load(); n != int64(clients) {
			return nil, fmt.Errorf("event %d was seen by %d of %d clients", i, n, clients)
		}
		behind[i] = float64(a.arrived[i].Load()-answered[i].Sub(a.begun).Nanoseconds()) / 1e6
	}
	worst := alone(fmt.Sprintf("console: %d streams, %d events/s: the last client has the last of them after", clients, eventsPerSecond), "ms", []float64{percentile(behind, 1)})
	memory := alone("… the console's memory at its peak (VmHWM)", "MB", []float64{peak})
	return []Row{
		worst.bar(fmt.Sprintf("≤ %d ms", mostBehindMS), worst.Ours <= mostBehindMS).
			note("from the webhook's answer to the last client's sight of it; the median of %d events is %s ms, p95 %s ms", events, number(median(behind)), number(percentile(behind, 0.95))),
		memory.bar(fmt.Sprintf("≤ %d MB", mostStreamsMB), peak <= mostStreamsMB).note("%s MB once all were connected", number(idle)),
	}, nil
}

const eventMark = `"text":"event `

// follow reads one stream until ctx ends. It tells when the stream has begun.
func (a *audience) follow(ctx context.Context, d *desk, begun func()) error {
	begun = sync.OnceFunc(begun)
	defer begun()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		return fmt.Errorf("connecting to the console: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/console/socialops/"+alias+"/events", nil)
	if err != nil {
		return fmt.Errorf("asking for the stream: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	if err := r.Write(conn); err != nil {
		return fmt.Errorf("asking for the stream: %w", err)
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(conn, 4096), r)
	if err != nil {
		return fmt.Errorf("reading the stream: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("the stream was answered %s: %s", answer.Status, text)
	}
	next := 0
	lines := bufio.NewReaderSize(answer.Body, 16<<10)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("a stream broke after %d events: %w", next, err)
		case bytes.HasPrefix(line, []byte("id:")):
			begun()
		}
		_, rest, marked := bytes.Cut(line, []byte(eventMark))
		if !marked || !bytes.HasPrefix(line, []byte("data:")) {
			continue
		}
		n, err := strconv.Atoi(string(rest[:max(0, bytes.IndexByte(rest, '"'))]))
		if err != nil || n != next {
			return fmt.Errorf("a client saw event %d (%w) where %d comes", n, err, next)
		}
		next++
		a.sees(n)
	}
}

func (a *audience) sees(n int) {
	now := time.Since(a.begun).Nanoseconds()
	for {
		last := a.arrived[n].Load()
		if now <= last || a.arrived[n].CompareAndSwap(last, now) {
			break
		}
	}
	a.seen[n].Add(1)
	a.all.Add(1)
}

// postEvents posts messages at an even pace and notes when each was answered.
func (b *bench) postEvents(ctx context.Context, d *desk, a *audience) ([]time.Time, error) {
	answered := make([]time.Time, a.events)
	tick := time.NewTicker(time.Second / eventsPerSecond)
	defer tick.Stop()
	for n := range answered {
		body := fmt.Sprintf(`{"event_id":"stream_%d","thread_id":"stream_%d","title":"Streams","text":"event %d"}`, n, n%100, n)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.runtime.api+"/webhook/generic-webhook", strings.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("posting an event: %w", err)
		}
		r.Header.Set("X-API-Key", b.tenant.key)
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, fmt.Errorf("posting an event: %w", err)
		}
		answered[n] = time.Now()
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusAccepted {
			return nil, fmt.Errorf("posting an event: %s", answer.Status)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
	return answered, nil
}

// peakMB is the most memory that a process had resident at once, in units of 10⁶ bytes.
func peakMB(pid int) (float64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("reading the process's memory (this needs Linux): %w", err)
	}
	return statusMB(string(status), "VmHWM:")
}
