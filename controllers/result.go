package controllers

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/open4x/socialops/runtime/inbox"
)

func controllerOptions(r reconcile.Reconciler, workers int) controller.Options {
	return controller.Options{
		Reconciler: r, MaxConcurrentReconciles: workers, SkipNameValidation: new(true),
		RateLimiter:           workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		ReconciliationTimeout: reconcileTimeout,
	}
}

// problemError is a problem on its way to a condition.
type problemError struct{ problem }

func (e *problemError) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return e.message
}

func (e *problemError) Unwrap() error { return e.err }

// result is what a reconcile answers the queue: when to come again, or that it failed.
// What a condition tells, or the database's own watch, is not logged.
func (p *platform) result(ctx context.Context, again time.Time, err error, failures *repeats, what string, name types.NamespacedName) (ctrl.Result, error) {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return ctrl.Result{}, nil // the process ends
	}
	code := inbox.CodeOf(err)
	switch {
	case err == nil && again.IsZero():
		return ctrl.Result{}, nil
	case err == nil:
		return ctrl.Result{RequeueAfter: max(again.Sub(p.options.Now()), time.Millisecond)}, nil
	case code != "":
		return ctrl.Result{RequeueAfter: databaseEvery}, nil
	}
	if known, ok := errors.AsType[*problemError](err); ok && known.err == nil {
		return ctrl.Result{RequeueAfter: known.retry}, nil
	}
	if !apierrors.IsConflict(err) && failures.first(rootCause(err), p.options.Now()) {
		p.options.Log.WarnContext(ctx, "an object can't be looked after; trying again", "kind", what, "name", name.String(), "error", err)
	}
	return ctrl.Result{}, err
}
