package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

const (
	mostReplyMS  = 250
	replySpacing = 75 * time.Millisecond // below what one bot may send
)

// measureReply posts replies one by one, each to another chat, and looks when the
// simulator had them. The clock starts before the call, so its own time is in it.
func measureReply(ctx context.Context, b *bench) (rows []Row, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	if err := b.truncate(ctx); err != nil {
		return nil, err
	}
	if err := b.converse(ctx, b.scale.replies, 1); err != nil {
		return nil, err
	}
	threads, err := b.threadIDs(ctx)
	if err != nil {
		return nil, err
	}
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		return nil, err
	}
	defer sim.Close()
	w, err := b.worker(ctx, sim.URL())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	p, err := b.runtime(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()

	posted := make(map[string]time.Time, len(threads))
	for i, id := range threads {
		text := fmt.Sprintf("reply %d", i)
		posted[text] = time.Now()
		if err := b.postReply(ctx, p, id, text); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(replySpacing):
		}
	}
	if err := b.awaitDelivery(ctx, sim, len(threads)); err != nil {
		return nil, err
	}
	if err := b.checkDelivered(ctx, len(threads), sim.Count(), sim.Refusals()); err != nil {
		return nil, err
	}
	var took []float64
	for _, m := range sim.Sent() {
		at, known := posted[m.Text]
		if !known {
			return nil, fmt.Errorf("the simulator has a reply that nobody posted: %q", m.Text)
		}
		took = append(took, float64(m.At.Sub(at).Microseconds())/1000)
	}
	row := alone("reply posted → the simulator has it: p95", "ms", []float64{percentile(took, 0.95)})
	row = row.bar(fmt.Sprintf("≤ %d ms", mostReplyMS), row.Ours <= mostReplyMS)
	return []Row{row.note("of %d replies, the median took %s ms and the longest %s ms", len(took), number(median(took)), number(percentile(took, 1)))}, nil
}

func (b *bench) threadIDs(ctx context.Context) ([]string, error) {
	rows, err := b.owner.Query(ctx, "SELECT id FROM thread ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading conversations: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id inbox.ThreadID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("reading conversations: %w", err)
		}
		ids = append(ids, id.String())
	}
	return ids, rows.Err() //nolint:wrapcheck // as above
}

func (b *bench) postReply(ctx context.Context, p *process, thread, text string) error {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return fmt.Errorf("writing a reply: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.api+"/threads/"+thread+"/replies", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("posting a reply: %w", err)
	}
	r.Header.Set("X-API-Key", b.tenant.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("posting a reply: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("posting a reply: %w", err)
	}
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("posting a reply: %s: %s", answer.Status, said)
	}
	return nil
}
