package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// Telegram lets a bot send 30 messages a second.
const (
	leastPace = 28
	mostPace  = 30
)

// measurePacing has one bot answer as many people as it can.
func measurePacing(ctx context.Context, b *bench) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	if err := b.truncate(ctx); err != nil {
		return nil, err
	}
	if err := b.converse(ctx, b.scale.paced, 1); err != nil {
		return nil, err
	}
	if err := b.queue(ctx, b.scale.paced); err != nil {
		return nil, err
	}
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		return nil, err
	}
	defer sim.Close()
	p, err := b.worker(ctx, sim.URL())
	if err != nil {
		return nil, err
	}
	err = b.awaitDelivery(ctx, sim, b.scale.paced)
	if err := errors.Join(err, p.stop()); err != nil {
		return nil, err
	}
	if err := b.checkDelivered(ctx, b.scale.paced, sim.Count(), sim.Refusals()); err != nil {
		return nil, err
	}
	sent := sim.Sent()
	rate := float64(len(sent)-1) / sent[len(sent)-1].At.Sub(sent[0].At).Seconds()
	burst := sim.MaxRate(botToken(0), time.Second)
	row := alone("delivery by one bot at Telegram's pace", "/s", []float64{rate})
	row = row.bar(fmt.Sprintf("%d to %d /s, never over %d in 1 s", leastPace, mostPace, mostPace), rate >= leastPace && rate <= mostPace && burst <= mostPace)
	return []Row{row.note("at most %d in any second of %.0f s", burst, sent[len(sent)-1].At.Sub(sent[0].At).Seconds())}, nil
}
