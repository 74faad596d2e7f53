package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
)

// fleetWarmUp is how many instances come before those that are timed.
const fleetWarmUp = 20

// applyLimit bounds one side of a pair.
const applyLimit = 10 * time.Minute

// measureOperatorApply compares the operator with a client that applies the very same
// objects and does nothing else: no rows, no roles, no status, no events. Each side has
// a fresh cluster, and the last operator's stays for what is measured next.
func measureOperatorApply(ctx context.Context, b *bench) ([]Row, error) {
	expected, err := expectedObjects()
	if err != nil {
		return nil, err
	}
	n := b.scale.instances
	var pairs []Pair
	var peaks []float64
	for i := range b.scale.fleetPairs {
		var p Pair
		last := i == b.scale.fleetPairs-1
		ours := func() error {
			took, peak, err := b.operatorApplies(ctx, n, last)
			p.Ours, peaks = took.Seconds(), append(peaks, peak)
			return err
		}
		bare := func() error {
			took, err := b.clientApplies(ctx, n)
			p.Against = took.Seconds()
			return err
		}
		sides := []func() error{ours, bare}
		if last || i%2 == 1 {
			slices.Reverse(sides)
		}
		for _, side := range sides {
			if err := side(); err != nil {
				return nil, err
			}
		}
		b.say("  operator %.1f s, client %.1f s", p.Ours, p.Against)
		pairs = append(pairs, p)
	}
	row := paired(fmt.Sprintf("%d instances applied at once: until all their objects exist", n), "s", "bare client", pairs)
	row = row.note("%d objects each, %d workers on either side; the operator's memory was at most %.1f MB", len(expected), fleetWorkers, slices.Max(peaks))
	return []Row{row.bar("≤ 2 × a bare client", row.Ratio <= 2)}, nil
}

func (b *bench) operatorApplies(ctx context.Context, n int, keep bool) (took time.Duration, peak float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	f, err := b.newFleet(ctx)
	if err != nil {
		return 0, 0, err
	}
	if keep {
		b.fleet = f
	} else {
		defer func() { err = errors.Join(err, f.close()) }()
	}
	m, err := f.startOperator(ctx)
	if err != nil {
		return 0, 0, err
	}
	if _, err := f.applyAll(ctx, n, n+fleetWarmUp); err != nil {
		return 0, 0, err
	}
	took, err = f.applyAll(ctx, 0, n)
	return took, m.peak(), err
}

func (b *bench) clientApplies(ctx context.Context, n int) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	f, err := b.newFleet(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	c, err := f.as("client")
	if err != nil {
		return 0, err
	}
	expected, err := expectedObjects()
	if err != nil {
		return 0, err
	}
	apply := func(ctx context.Context, n int) error {
		in := newInstance(n)
		in.UID = types.UID(in.Name)
		objects, err := objectsOf(in)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if err := c.Apply(ctx, o.Apply, client.FieldOwner(desired.FieldManager), client.ForceOwnership); err != nil {
				return fmt.Errorf("applying %v: %w", o, err)
			}
		}
		return nil
	}
	run := func(from, to int) (time.Duration, error) {
		return f.timed(ctx, (to-from)*len(expected), func(ctx context.Context) error { return concurrently(ctx, fleetWorkers, from, to, apply) })
	}
	if _, err := run(n, n+fleetWarmUp); err != nil {
		return 0, err
	}
	return run(0, n)
}
