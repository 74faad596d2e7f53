package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
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

// apply makes the instance's objects what they should be, in waves of what they rest
// on, and deletes what it should not have. What one of them lacks keeps no other out that can
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
	for _, wave := range waves(objects) {
		lacking = append(lacking, r.applyWave(ctx, p, wave, lacking)...)
	}
	r.prune(ctx, p, objects)
	return true
}

// waves are objects in the order of what they rest on; those of one wave are
// independent of each other.
func waves(objects []desired.Object) [][]*desired.Object {
	var first, second, third []*desired.Object
	for i := range objects {
		switch o := &objects[i]; {
		case o.Apply == nil: // stays as it is
		case restsOn(o.GVK.Kind, []string{kindDeployment.Kind}):
			third = append(third, o)
		case restsOn(o.GVK.Kind, []string{"Service", "ServiceAccount"}):
			second = append(second, o)
		default:
			first = append(first, o)
		}
	}
	return [][]*desired.Object{first, second, third}
}

// attempt is one object's apply.
type attempt struct {
	object *desired.Object
	live   client.Object
	did    change
	err    error
}

// applyWave applies objects at once, and returns the kinds that are not in place then.
func (r *instanceReconciler) applyWave(ctx context.Context, p *pass, wave []*desired.Object, lacking []string) (missing []string) {
	var attempts []*attempt
	for _, o := range wave {
		if restsOn(o.GVK.Kind, lacking) {
			missing = append(missing, o.GVK.Kind)
			continue
		}
		a := &attempt{object: o}
		if a.err = r.prepare(ctx, p, a); errors.Is(a.err, errLater) {
			continue
		}
		attempts = append(attempts, a)
	}
	var running sync.WaitGroup
	for _, a := range attempts {
		if a.err == nil {
			free := p.free[objectKey{a.object.GVK.Kind, a.object.Name}]
			running.Go(func() { a.did, a.err = r.applier.apply(ctx, p.instance, p.memory, a.object, a.live, free) })
		}
	}
	running.Wait()
	for _, a := range attempts {
		if !r.applied(p, a) && !isKeySecret(p.instance, a.object) {
			missing = append(missing, a.object.GVK.Kind)
		}
	}
	return missing
}

// applied notes what became of an object, and tells whether it is in place.
func (r *instanceReconciler) applied(p *pass, a *attempt) bool {
	kind, name := a.object.GVK.Kind, a.object.Name
	if a.err != nil {
		p.add(conditionOf(p.instance, kind, name), problemOf(a.err, object(kind, name)))
		return false
	}
	if a.did == unchanged && a.live == nil { // the cache lags, or an event was lost
		p.retry(cacheLag)
	}
	p.changes.add(a.did, object(kind, name))
	if a.object.GVK == kindDeployment {
		p.memory.rollsOut = false
	}
	return true
}

// isKeySecret tells the Secret that no pod reads.
func isKeySecret(in *v1alpha1.SocialOpsInstance, o *desired.Object) bool {
	return o.GVK == kindSecret && o.Name == desired.KeySecretName(in)
}

// errLater means that an object's turn has not come, which is no trouble.
var errLater = errors.New("later")

// prepare does what comes before an object's apply, or tells why there is none.
func (r *instanceReconciler) prepare(ctx context.Context, p *pass, a *attempt) (err error) {
	switch o := a.object; {
	case o.GVK == kindHTTPRoute && p.cluster.routes == routesMissing:
		return &meta.NoKindMatchError{GroupKind: kindHTTPRoute.GroupKind(), SearchedVersions: []string{kindHTTPRoute.Version}}
	case o.GVK == kindHTTPRoute && p.cluster.routes == routesSyncing:
		p.retry(firstRetry)
		return errLater
	case o.GVK == kindDeployment:
		if err := r.prepareDeployment(ctx, p, o); err != nil {
			return err
		}
	}
	a.live, err = r.cached(ctx, p, a.object)
	return err
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
