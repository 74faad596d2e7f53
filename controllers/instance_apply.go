package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// conditionOf is the condition that tells of a kind's objects.
func conditionOf(in *v1alpha1.SocialOpsInstance, kind, name string) string {
	switch {
	case kind == "Service", kind == "Ingress", kind == kindHTTPRoute.Kind:
		return v1alpha1.ConditionExposed
	case kind == kindSecret.Kind && name == desired.KeySecretName(in):
		return v1alpha1.ConditionKeysReady
	default:
		return v1alpha1.ConditionPodsReady
	}
}

// restsOn tells whether an object makes no sense, or harm, without another: pods
// without what they read or what keeps them apart, a route to somebody else's Service.
func restsOn(kind string, lacking []string) bool {
	var needs []string
	switch kind {
	case kindDeployment.Kind:
		needs = []string{"ServiceAccount", kindSecret.Kind, "ConfigMap", "NetworkPolicy"}
	case "PodDisruptionBudget", kindHPA.Kind:
		needs = []string{kindDeployment.Kind}
	case "Ingress", kindHTTPRoute.Kind:
		needs = []string{"Service"}
	}
	return slices.ContainsFunc(lacking, func(l string) bool { return slices.Contains(needs, l) })
}

// apply makes the instance's objects what they should be, one after the other, and
// deletes what it should not have. What one of them lacks keeps no other out that can
// do without.
func (r *instanceReconciler) apply(ctx context.Context, p *pass) bool {
	if pr := p.memory.projection; pr != nil {
		p.secret, p.keys = pr.secret, pr.keys
	}
	in := p.instance
	objects, err := desired.Objects(in, r.settings, &desired.Facts{RuntimeSecret: p.secret, KeySecret: p.keys})
	if err != nil {
		p.err = fmt.Errorf("deciding on the objects: %w", err)
		return false
	}
	p.applied = true
	// An autoscaler that is to go must not set again what is about to be set.
	r.prune(ctx, p, objects, kindHPA.Kind)
	var lacking []string
	for i := range objects {
		o := &objects[i]
		switch {
		case o.Apply == nil:
		case restsOn(o.GVK.Kind, lacking), !r.applyOne(ctx, p, o) && !isKeySecret(in, o):
			lacking = append(lacking, o.GVK.Kind)
		}
	}
	r.prune(ctx, p, objects)
	return true
}

// isKeySecret tells the Secret that no pod reads.
func isKeySecret(in *v1alpha1.SocialOpsInstance, o *desired.Object) bool {
	return o.GVK == kindSecret && o.Name == desired.KeySecretName(in)
}

// applyOne tells whether an object is in place.
func (r *instanceReconciler) applyOne(ctx context.Context, p *pass, o *desired.Object) bool {
	condition := conditionOf(p.instance, o.GVK.Kind, o.Name)
	fail := func(err error) bool {
		p.add(condition, problemOf(err, object(o.GVK.Kind, o.Name)))
		return false
	}
	if o.GVK == kindHTTPRoute {
		switch p.cluster.routes {
		case routesMissing:
			p.add(condition, problem{reason: v1alpha1.ReasonGatewayAPIMissing, message: gatewayAPIMissing, retry: retryMissing})
			return false
		case routesSyncing:
			p.retry(firstRetry)
			return false
		case routesKnown:
		}
	}
	if o.GVK == kindDeployment {
		if ready, err := r.prepareDeployment(ctx, p, o); err != nil || !ready {
			if err != nil {
				fail(err)
			}
			return err == nil
		}
	}
	live, err := r.cached(ctx, p, o)
	if err != nil {
		return fail(err)
	}
	did, err := r.applier.apply(ctx, p.instance, p.memory, o, live)
	if err != nil {
		return fail(err)
	}
	if did == unchanged && live == nil { // the cache lags, or an event was lost
		p.retry(cacheLag)
	}
	p.changes.add(did, object(o.GVK.Kind, o.Name))
	if o.GVK == kindDeployment {
		p.memory.rollsOut = false
	}
	return true
}

// cached is the object of that name as the caches have it, nil when they don't. One that
// is not the instance's any more may have lost its reference by somebody's hand.
func (r *instanceReconciler) cached(ctx context.Context, p *pass, o *desired.Object) (client.Object, error) {
	if live := p.cluster.object(o.GVK.Kind, o.Name); live != nil {
		return live, nil
	}
	from, into := client.Reader(r.caches.main), cachedAs(o.GVK)
	if o.GVK == kindHTTPRoute {
		from = r.caches.routes
	}
	err := from.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Name}, into)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, fmt.Errorf("looking for the %v: %w", o, err)
	}
	return into, nil
}

const gatewayAPIMissing = "the cluster has no HTTPRoute: install the Gateway API (gateway.networking.k8s.io/v1), or choose another spec.exposure.type"

// queuedLook is how often one that waits in line looks for itself; its turn is told.
const queuedLook = 2 * time.Minute

// prepareDeployment tells whether a Deployment may be applied now. An update that only
// the operator wants waits in line; an autoscaler gets the number of pods first.
func (r *instanceReconciler) prepareDeployment(ctx context.Context, p *pass, o *desired.Object) (bool, error) {
	want, ok := o.Apply.(*apps.DeploymentApplyConfiguration)
	if !ok {
		return false, fmt.Errorf("the Deployment is a %T", o.Apply)
	}
	if err := stamp(want, p.secret); err != nil {
		return false, err
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
				return false, err
			}
		}
	}
	if lags || held {
		if !lags {
			r.look(false, r.rollouts.settle(p.name, rolling(live))...)
		}
		return true, nil
	}
	if in.Generation != in.Status.ObservedGeneration {
		p.memory.rollsOut = true
	}
	if live == nil || !waits(live, want, !p.memory.rollsOut) {
		r.look(false, r.rollouts.settle(p.name, live != nil && rolling(live))...)
		return true, nil
	}
	admitted, err := r.rollouts.admit(p.name)
	if err != nil {
		return false, err
	}
	if !admitted {
		p.queued = true
		p.retry(queuedLook)
	}
	return admitted, nil
}

// prune deletes what the instance should not have, of the given kinds or all.
func (r *instanceReconciler) prune(ctx context.Context, p *pass, wanted []desired.Object, kinds ...string) {
	owned := slices.DeleteFunc(slices.Clone(p.cluster.owned), func(o client.Object) bool {
		return len(kinds) > 0 && !slices.Contains(kinds, o.GetObjectKind().GroupVersionKind().Kind)
	})
	deleted, err := r.applier.prune(ctx, p.memory, owned, wanted)
	for _, o := range deleted {
		p.changes.deleted = append(p.changes.deleted, object(o.GetObjectKind().GroupVersionKind().Kind, o.GetName()))
		p.cluster.owned = slices.DeleteFunc(p.cluster.owned, func(c client.Object) bool { return c.GetUID() == o.GetUID() })
	}
	if err != nil {
		p.add(v1alpha1.ConditionPodsReady, explain(err, "to delete what is no longer wanted"))
	}
}
