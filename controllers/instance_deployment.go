package controllers

import (
	"context"
	"fmt"
	"time"

	apps "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/open4x/socialops/controllers/desired"
)

// queuedLook is how often one that waits in line looks for itself; its turn is told.
const queuedLook = 2 * time.Minute

// prepareDeployment does what comes before a Deployment's apply. An update that only the
// operator wants waits in line; an autoscaler gets the number of pods first.
func (r *instanceReconciler) prepareDeployment(ctx context.Context, p *pass, o *desired.Object) error {
	want, ok := o.Apply.(*apps.DeploymentApplyConfiguration)
	if !ok {
		return fmt.Errorf("the Deployment is a %T", o.Apply)
	}
	if err := stamp(want, p.secret); err != nil {
		return err
	}
	in := p.instance
	live, key := p.cluster.deployment(in), objectKey{o.GVK.Kind, o.Name}
	cached := p.cluster.object(o.GVK.Kind, o.Name)
	held, lags := p.memory.holds(key, o.Hash, cached, r.now()), p.memory.lags(key, cached)
	autoscaled := want.Spec.Replicas == nil
	if !autoscaled {
		p.memory.handedOver = false
	}
	if live != nil && autoscaled && live.DeletionTimestamp == nil {
		if stopped := live.Spec.Replicas != nil && *live.Spec.Replicas == 0; stopped || !held {
			if err := r.handOver(ctx, in, p.memory, live); err != nil {
				return err
			}
		}
	}
	if lags || held {
		if !lags {
			r.look(false, r.rollouts.settle(p.name, rolling(live))...)
		}
		return nil
	}
	if in.Generation != in.Status.ObservedGeneration {
		p.memory.rollsOut = true
	}
	if live == nil || !waits(live, want, !p.memory.rollsOut) {
		r.look(false, r.rollouts.settle(p.name, live != nil && rolling(live))...)
		return nil
	}
	admitted, err := r.rollouts.admit(p.name)
	if err == nil && !admitted {
		p.queued, err = true, errLater
		p.retry(queuedLook)
	}
	return err
}
