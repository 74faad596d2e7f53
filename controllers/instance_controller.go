package controllers

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// What a reconcile of an instance needs to be allowed in its namespace.
//
// +kubebuilder:rbac:groups=socialops.dev,resources=socialopsinstances,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=socialops.dev,resources=socialopsinstances/status,verbs=get;patch
// +kubebuilder:rbac:groups=socialops.dev,resources=socialopsinstances/finalizers,verbs=update;patch
// +kubebuilder:rbac:groups=socialops.dev,resources=channelbindings,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts;secrets;configmaps;services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies;ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// instanceReconciler makes a SocialOpsInstance's rows and objects what its manifest says.
type instanceReconciler struct {
	client   client.Client // reads the caches, and writes
	live     client.Reader // asks the API server itself
	caches   *caches
	platform *platform
	settings *desired.Settings
	recorder events.EventRecorder
	log      *slog.Logger
	now      func() time.Time

	applier  applier
	memory   memory
	rollouts rollouts
	routes   routes
	queue    queueRef
	failures repeats
}

// pass is one reconcile of one instance: what was found, and what came of it.
type pass struct {
	name     types.NamespacedName
	instance *v1alpha1.SocialOpsInstance // with the status that was last written
	memory   *remembered
	cluster  found
	outcome
}

// Reconcile implements [ctrl.Reconciler].
func (r *instanceReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	p, err := r.gather(ctx, request.NamespacedName)
	switch {
	case err != nil:
		return r.failed(ctx, request.NamespacedName, err)
	case p == nil:
		return r.bury(ctx, request.NamespacedName)
	case p.instance.DeletionTimestamp != nil:
		r.leave(ctx, p)
	case p.memory.doomed:
		r.abandon(ctx, p)
	case p.instance.Annotations[v1alpha1.AnnotationPaused] == "true":
		r.pause(p)
	default:
		for _, step := range []func(context.Context, *pass) bool{r.guardData, r.project, r.apply} {
			if !step(ctx, p) {
				break
			}
		}
		if p.terminating {
			r.abandon(ctx, p)
		}
	}
	return r.conclude(ctx, p)
}

// addTo has the manager run the reconciler.
func (r *instanceReconciler) addTo(ctx context.Context, mgr ctrl.Manager, workers int) error {
	if err := r.index(ctx); err != nil {
		return err
	}
	c, err := controller.New("socialopsinstance", mgr, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: workers, SkipNameValidation: new(true),
		RateLimiter:           workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		ReconciliationTimeout: reconcileTimeout,
	})
	if err != nil {
		return fmt.Errorf("making the controller of instances: %w", err)
	}
	return r.watch(c)
}

// How soon what failed is tried again, and how long one try may take.
const (
	firstRetry       = 200 * time.Millisecond
	lastRetry        = 30 * time.Second
	reconcileTimeout = 2 * time.Minute
)
