package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// proveKill kills the sample's only pod under load, without a warning. Calls may fail
// until the next one serves; what was acknowledged may not be lost, nor stored twice.
func (e *e2e) proveKill(ctx context.Context) error {
	pods, err := e.pods(ctx, supportNamespace, "support")
	if err != nil {
		return err
	}
	l := startLoad(ctx, "kill", loadPerSecond, e.support, e.supportPublic)
	err = e.killUnder(ctx, func() error {
		for i := range pods {
			if err := e.kube.Delete(ctx, &pods[i], client.GracePeriodSeconds(0)); err != nil {
				return fmt.Errorf("killing the pod %s: %w", pods[i].Name, err)
			}
		}
		return nil
	})
	l.end()
	e.say("kill: %s", l)
	if err != nil {
		return err
	}
	return l.kept(ctx, e.support)
}

// killUnder does its worst in the middle of a load, and waits until the load gets
// through again.
func (e *e2e) killUnder(ctx context.Context, worst func() error) error {
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	if err := worst(); err != nil {
		return err
	}
	begun := time.Now()
	if err := errors.Join(e.routed(ctx, e.support), e.routed(ctx, e.supportPublic)); err != nil {
		return err
	}
	e.say("the inbox answers again after %.1f s", time.Since(begun).Seconds())
	return pause(ctx, 5*time.Second)
}
