package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// large fills the database with a year of conversations, once.
func (b *bench) large(ctx context.Context) error {
	if b.seeded {
		return nil
	}
	b.say("  making up %d threads and %d messages", b.scale.threads, b.scale.messages)
	if err := b.truncate(ctx); err != nil {
		return err
	}
	if err := pgtest.Seed(ctx, b.super, b.tenant.id, pgtest.SeedOptions{Threads: b.scale.threads, Messages: b.scale.messages}); err != nil {
		return err
	}
	var threads, messages int64
	if err := b.count(ctx, "SELECT (SELECT count(*) FROM thread_state), (SELECT count(*) FROM message)", &threads, &messages); err != nil {
		return err
	}
	if threads != int64(b.scale.threads) || messages != int64(b.scale.messages) {
		return fmt.Errorf("want %d threads and %d messages, found %d and %d", b.scale.threads, b.scale.messages, threads, messages)
	}
	b.seeded = true
	return b.checkpoint(ctx)
}

// threadPage is what is read of a list's answer.
type threadPage struct {
	Data []struct {
		ThreadID string `json:"id"`
	} `json:"data"`
	Pagination struct {
		NextCursor string `json:"next_cursor"`
	} `json:"pagination"`
}

// get reads one page of a list.
func (b *bench) get(ctx context.Context, url string) (page threadPage, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return page, fmt.Errorf("reading %s: %w", url, err)
	}
	r.Header.Set("X-API-Key", b.tenant.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return page, fmt.Errorf("reading a page: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return page, fmt.Errorf("reading a page: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return page, fmt.Errorf("reading a page: %s: %s", answer.Status, body)
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return page, fmt.Errorf("reading a page: %w", err)
	}
	return page, nil
}
