package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

const (
	leastOfRiver  = 0.3
	deliveryLimit = 5 * time.Minute // for one run
)

// measureDelivery has a worker deliver replies as fast as it goes, against River,
// which works off as many jobs that do nothing. On both sides the clock runs from
// the process's start to the last job's record in the table.
func measureDelivery(ctx context.Context, b *bench) ([]Row, error) {
	var pairs []Pair
	var settings string
	for i := range b.scale.pairs {
		ours, err := b.deliveryRun(ctx)
		if err != nil {
			return nil, err
		}
		against, how, err := b.riverRun(ctx)
		if err != nil {
			return nil, err
		}
		b.say("  pair %d: %s/s, River %s/s, ratio %.2f", i+1, number(ours), number(against), ours/against)
		pairs, settings = append(pairs, Pair{Ours: ours, Against: against}), how
	}
	row := paired("delivery to the simulator, pacing off", "/s", "River", pairs)
	row = row.bar(fmt.Sprintf("≥ %.1f × River", leastOfRiver), row.Ratio >= leastOfRiver)
	return []Row{row.note("%d replies over %d chats of %d bots, one worker; River: %s", b.scale.actions, chats, bots, settings)}, nil
}

// deliveryRun is one run after another one to warm up.
func (b *bench) deliveryRun(ctx context.Context) (perSecond float64, err error) {
	if _, err := b.deliver(ctx, b.scale.actions/10); err != nil {
		return 0, err
	}
	return b.deliver(ctx, b.scale.actions)
}

func (b *bench) deliver(ctx context.Context, replies int) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	if err := b.truncate(ctx); err != nil {
		return 0, err
	}
	if err := b.converse(ctx, min(chats, replies), bots); err != nil {
		return 0, err
	}
	if err := b.queue(ctx, replies); err != nil {
		return 0, err
	}
	if err := b.checkpoint(ctx); err != nil {
		return 0, err
	}
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true, CountOnly: true})
	if err != nil {
		return 0, err
	}
	defer sim.Close()
	p, err := b.worker(ctx, sim.URL(), "--no-pacing")
	if err != nil {
		return 0, err
	}
	err = b.awaitDelivery(ctx, sim, replies)
	took := time.Since(p.begun)
	if err := errors.Join(err, p.stop()); err != nil {
		return 0, err
	}
	return float64(replies) / took.Seconds(), b.checkDelivered(ctx, replies, sim.Count(), sim.Refusals())
}

// awaitDelivery waits until replies were sent and settled.
func (b *bench) awaitDelivery(ctx context.Context, sim *botapisim.Sim, replies int) error {
	if err := sim.WaitSent(ctx, replies); err != nil {
		return fmt.Errorf("%d of %d replies were sent: %w", sim.Count(), replies, err)
	}
	return b.allSettled(ctx)
}

// riverRun is one run after another one to warm up.
func (b *bench) riverRun(ctx context.Context) (perSecond float64, settings string, err error) {
	if _, _, err := b.river(ctx, b.scale.actions/10); err != nil {
		return 0, "", err
	}
	return b.river(ctx, b.scale.actions)
}

func (b *bench) river(ctx context.Context, jobs int) (perSecond float64, settings string, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	if _, err := b.runRiver(ctx, "insert", jobs); err != nil {
		return 0, "", err
	}
	if err := b.checkpoint(ctx); err != nil {
		return 0, "", err
	}
	out, err := b.runRiver(ctx, "work", jobs)
	if err != nil {
		return 0, "", err
	}
	var got struct {
		Completed int     `json:"completed"`
		Worked    int     `json:"worked"`
		Seconds   float64 `json:"seconds"`
		Settings  string  `json:"settings"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return 0, "", fmt.Errorf("reading River's figures: %w", err)
	}
	if got.Completed != jobs || got.Worked != jobs || got.Seconds <= 0 {
		return 0, "", fmt.Errorf("of %d jobs River worked %d, and %d are completed", jobs, got.Worked, got.Completed)
	}
	return float64(jobs) / got.Seconds, got.Settings, nil
}

func (b *bench) runRiver(ctx context.Context, what string, jobs int) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "bench-river"), what, "-jobs", strconv.Itoa(jobs))
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.server.DSN(ownerRole, riverDatabase))
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("bench-river %s: %w", what, errors.Join(err, ctx.Err()))
	}
	return out, nil
}
