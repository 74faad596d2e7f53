package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
)

const (
	newcomerPause = 100 * time.Millisecond // between one's Deployment and the next
	newcomerLimit = time.Minute
)

// measureOperatorLatency applies one instance after the other where many are at rest.
func measureOperatorLatency(ctx context.Context, b *bench) ([]Row, error) {
	f, err := b.settle(ctx)
	if err != nil {
		return nil, err
	}
	first := b.scale.instances + fleetWarmUp
	var took []float64
	for n := first; n < first+b.scale.newcomers; n++ {
		t, err := f.newcomer(ctx, n)
		if err != nil {
			return nil, err
		}
		took = append(took, float64(t.Microseconds())/1000)
	}
	p99 := percentile(took, 0.99)
	row := alone(fmt.Sprintf("one instance applied → its Deployment exists, %d others at rest: p99", b.scale.instances), "ms", []float64{p99})
	row = row.note("of %d instances: median %.0f ms, slowest %.0f ms", len(took), median(took), slices.Max(took))
	return []Row{row.bar("≤ 1 s", p99 <= 1000)}, f.awaitQuiet(ctx)
}

func (f *fleet) newcomer(ctx context.Context, n int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, newcomerLimit)
	defer cancel()
	in := newInstance(n)
	w, err := f.tenants.Watch(ctx, metadataList(appsv1.SchemeGroupVersion.WithKind("Deployment")), client.InNamespace(in.Namespace),
		client.MatchingFields{metav1.ObjectNameField: in.Name}, client.MatchingLabels{desired.LabelManagedBy: desired.ManagedBy})
	if err != nil {
		return 0, fmt.Errorf("watching a Deployment: %w", err)
	}
	defer w.Stop()
	start := time.Now()
	if err := f.applyInstance(ctx, n); err != nil {
		return 0, err
	}
	for {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("waiting for the Deployment of %s: %w", in.Name, context.Cause(ctx))
		case event, open := <-w.ResultChan():
			if !open {
				return 0, errors.New("the watch of a Deployment ended")
			}
			if event.Type != watch.Added {
				continue
			}
			took := time.Since(start)
			select {
			case <-ctx.Done():
			case <-time.After(newcomerPause):
			}
			return took, nil
		}
	}
}
