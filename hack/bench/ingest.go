package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// wholeExample adds what the API's own example of an event has beyond the floor's
// writes: who wrote, and labels.
const wholeExample = `,"user":{"id":"monitor"},"labels":["ops","urgent"]`

// runName tells one run's events from another's.
func runName() string { return strings.ToLower(rand.Text()[:8]) }

// exampleEvent is an event as long as those of load.lua.
func exampleEvent() string {
	return fmt.Sprintf(`{"event_id":"evt_%s_%09d","thread_id":"incident_%05d","title":"Incident opened","text":"API latency is high"}`, runName(), 1, 1)
}

func measureIngest64(ctx context.Context, b *bench) ([]Row, error) {
	pairs, err := b.ingestPairs(ctx, 64, func(l loaded) float64 { return l.perSecond() }, func(f floored) float64 { return f.perSecond })
	if err != nil {
		return nil, err
	}
	row := paired("ingest, 64 connections", "/s", "pgbench", pairs)
	row = row.bar("≥ 1.0 × pgbench", row.Ratio >= 1)
	row.Note = "an event is a dedupe row, a thread's upsert, a message, a raw payload, a ledger entry and a row of the log"
	whole, err := b.ingest(ctx, 64, wholeExample)
	if err != nil {
		return []Row{row}, err
	}
	other := alone("… with a user and two labels in each event", "/s", []float64{whole.perSecond()})
	other.Note = "one run, and no floor: each message also writes its thread's labels"
	return []Row{row, other}, nil
}

func (b *bench) ingestPairs(ctx context.Context, connections int, ours func(loaded) float64, floor func(floored) float64) ([]Pair, error) {
	var pairs []Pair
	for i := range b.scale.pairs {
		got, err := b.ingest(ctx, connections, "")
		if err != nil {
			return nil, err
		}
		against, err := b.floor(ctx, connections)
		if err != nil {
			return nil, err
		}
		p := Pair{Ours: ours(got), Against: floor(against)}
		b.say("  pair %d: %s, floor %s, ratio %.2f", i+1, number(p.Ours), number(p.Against), p.Ours/p.Against)
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// ingest posts new events to a runtime, warmed up, on fresh tables.
func (b *bench) ingest(ctx context.Context, connections int, extra string) (got loaded, err error) {
	p, err := b.runtime(ctx)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := b.truncate(ctx); err != nil {
		return got, err
	}
	l := load{url: p.api + "/webhook/generic-webhook", connections: connections, duration: b.scale.warmUp, run: runName(), extra: extra}
	if _, err := b.wrk(ctx, l); err != nil {
		return got, err
	}
	if err := b.settled(ctx); err != nil {
		return got, err
	}
	if err := b.fresh(ctx); err != nil {
		return got, err
	}
	l.duration, l.run = b.scale.load, runName()
	if got, err = b.wrk(ctx, l); err != nil {
		return got, err
	}
	if err := b.settled(ctx); err != nil {
		return got, err
	}
	// What wrk broke off at its end may have been stored all the same.
	return got, b.checkIngested(ctx, got.Requests, got.Requests+int64(connections), true)
}

// settled waits until what was under way when the load ended is in the tables.
func (b *bench) settled(ctx context.Context) error {
	last := int64(-1)
	for {
		var n int64
		if err := b.count(ctx, "SELECT count(*) FROM message", &n); err != nil {
			return err
		}
		if n == last {
			return nil
		}
		last = n
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// checkIngested sees to it that each event left one row of everything. The floor
// keeps no balance and no counter.
func (b *bench) checkIngested(ctx context.Context, least, most int64, counted bool) error {
	var messages, receipts, raw, charges, charged, events, sequence, threads, states, balance, counter int64
	err := b.count(ctx, `SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM event_receipt), (SELECT count(*) FROM raw_payload),
		(SELECT count(*) FROM ledger WHERE kind = 'inbound'), (SELECT coalesce(sum(amount), 0)::bigint FROM ledger),
		(SELECT count(*) FROM event WHERE type = 'message.created'), (SELECT coalesce(sum(message_seq), 0)::bigint FROM thread_state),
		(SELECT count(*) FROM thread), (SELECT count(*) FROM thread_state), (SELECT amount FROM balance), (SELECT seq FROM event_counter)`,
		&messages, &receipts, &raw, &charges, &charged, &events, &sequence, &threads, &states, &balance, &counter)
	if err != nil {
		return err
	}
	found := fmt.Sprintf("%d messages, %d receipts, %d raw payloads, %d charges of %d, %d events up to %d, %d threads, %d states with %d messages, balance %d",
		messages, receipts, raw, charges, charged, events, counter, threads, states, sequence, balance)
	switch {
	case messages < least, messages > most:
		return fmt.Errorf("want %d to %d messages, found %s", least, most, found)
	case receipts != messages, raw != messages, charges != messages, charged != -200*messages, events != messages, sequence != messages,
		threads > 20_000, states != threads:
		return fmt.Errorf("the tables do not agree: %s", found)
	case counted && (balance != charged || counter < events):
		return fmt.Errorf("balance or log do not agree with the tables: %s", found)
	}
	return nil
}
