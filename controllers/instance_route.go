package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// routes knows whether the cluster has the Gateway API. A cluster may get it later, so
// HTTPRoutes are watched from when they are first found to exist.
type routes struct {
	cache  cache.Cache
	mapper meta.RESTMapper
	watch  func(cache.Informer) error
	now    func() time.Time

	mu       sync.Mutex
	informer cache.Informer // nil: not yet
	askAt    time.Time      // again
}

// state is how far HTTPRoutes are known.
type routesState int

const (
	routesMissing routesState = iota // the cluster has no such kind
	routesSyncing                    // the cache is being filled
	routesKnown
)

// look tells how far HTTPRoutes are known now, and begins to watch them once it can.
func (r *routes) look(ctx context.Context) (routesState, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.informer == nil {
		if r.now().Before(r.askAt) {
			return routesMissing, nil
		}
		_, err := r.mapper.RESTMapping(kindHTTPRoute.GroupKind(), kindHTTPRoute.Version)
		if meta.IsNoMatchError(err) {
			r.askAt = r.now().Add(retryMissing / 2)
			return routesMissing, nil
		}
		if err != nil {
			return routesMissing, fmt.Errorf("asking for the kind HTTPRoute: %w", err)
		}
		if err := r.begin(ctx); err != nil {
			return routesMissing, err
		}
	}
	if !r.informer.HasSynced() {
		return routesSyncing, nil
	}
	return routesKnown, nil
}

func (r *routes) begin(ctx context.Context) error {
	if err := r.cache.IndexField(ctx, &gatewayv1.HTTPRoute{}, indexOwner, ownerUID); err != nil {
		return fmt.Errorf("indexing HTTPRoutes: %w", err)
	}
	informer, err := r.cache.GetInformer(ctx, &gatewayv1.HTTPRoute{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching HTTPRoutes: %w", err)
	}
	if err := r.watch(informer); err != nil {
		return err
	}
	r.informer = informer
	return nil
}

// exposed is the condition Exposed of an instance whose objects are in place. route is
// the cached HTTPRoute, nil when there is none yet.
func exposed(want desired.Route, route *gatewayv1.HTTPRoute) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionExposed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonExposed}
	switch want.Type {
	case v1alpha1.ExposureIngress:
		c.Message = fmt.Sprintf("the Ingress for %s is in place", want.Host)
		return c
	case v1alpha1.ExposureHTTPRoute:
	default:
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonNotExposed
		c.Message = "spec.exposure.type is None: only the cluster reaches the inbox, and providers can't call it"
		return c
	}
	gateway := want.Gateway.Namespace + "/" + want.Gateway.Name
	no := func(format string, args ...any) metav1.Condition {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonRouteNotAccepted, fmt.Sprintf(format, args...)
		return c
	}
	if route == nil || len(route.Status.Parents) == 0 {
		return no("the Gateway %s has not answered for the route yet: if it goes on, look whether it exists and its controller runs", gateway)
	}
	var refusal *metav1.Condition
	for i := range route.Status.Parents {
		conditions := route.Status.Parents[i].Conditions
		bad := slices.IndexFunc(conditions, func(c metav1.Condition) bool {
			return c.Status != metav1.ConditionTrue &&
				(c.Type == string(gatewayv1.RouteConditionAccepted) || c.Type == string(gatewayv1.RouteConditionResolvedRefs))
		})
		accepted := meta.FindStatusCondition(conditions, string(gatewayv1.RouteConditionAccepted))
		switch {
		case bad >= 0:
			refusal = &conditions[bad]
		case accepted != nil && accepted.ObservedGeneration >= route.Generation:
			c.Message = fmt.Sprintf("the Gateway %s takes the route for %s", gateway, want.Host)
			return c
		}
	}
	if refusal == nil {
		return no("the Gateway %s has not answered for the route yet: if it goes on, look whether its controller runs", gateway)
	}
	return no("the Gateway %s does not take the route: %s: %s", gateway, refusal.Reason, oneLine(refusal.Message))
}
