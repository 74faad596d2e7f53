package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	bystanderSize    = 32 << 10 // bytes
	memoryPoll       = 20 * time.Millisecond
	memoryApplicants = 8
)

// measureOperatorMemory starts the operator where everything is as it should be, among
// Secrets that are none of its business.
func measureOperatorMemory(ctx context.Context, b *bench) ([]Row, error) {
	f, err := b.settle(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.stopOperator(); err != nil {
		return nil, err
	}
	if err := f.addBystanders(ctx, b.scale.bystanders); err != nil {
		return nil, err
	}
	m, err := f.startOperator(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.awaitQuiet(ctx); err != nil {
		return nil, err
	}
	peak := m.peak()
	now, err := anonymousMB(f.operator.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	row := alone(fmt.Sprintf("operator with %d instances and %d unrelated Secrets of 32 KB: peak RssAnon", b.scale.instances, b.scale.bystanders), "MB", []float64{peak})
	return []Row{row.bar("≤ 120 MB", peak <= 120).note("ready after %.1f s; %.1f MB once at rest", f.operator.ready.Seconds(), now)}, nil
}

// addBystanders makes Secrets beside the instances'.
func (f *fleet) addBystanders(ctx context.Context, count int) error {
	f.b.say("  making %d Secrets", count)
	return concurrently(ctx, memoryApplicants, 0, count, func(ctx context.Context, n int) error {
		value := make([]byte, bystanderSize)
		_, _ = rand.Read(value) // never fails
		s := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: fleetNamespace(n), Name: fmt.Sprintf("bystander-%d", n)},
			Data:       map[string][]byte{"value": value},
		}
		if err := f.tenants.Create(ctx, s); err != nil {
			return fmt.Errorf("making a Secret: %w", err)
		}
		return nil
	})
}

// memory follows a process's anonymous memory until the process ends.
type memory struct {
	mu   sync.Mutex
	most float64 // MB
}

func followMemory(p *process) *memory {
	m := &memory{}
	go func() {
		for {
			if mb, err := anonymousMB(p.cmd.Process.Pid); err == nil {
				m.mu.Lock()
				m.most = max(m.most, mb)
				m.mu.Unlock()
			}
			select {
			case <-p.exited:
				return
			case <-time.After(memoryPoll):
			}
		}
	}()
	return m
}

// peak is the most so far, in units of 10⁶ bytes.
func (m *memory) peak() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}
