package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// How long a deleted instance is held while Postgres can't be told that its data is
// to go. After that the next list of what is there tells.
const (
	holdFor            = 10 * time.Minute
	holdForTerminating = 30 * time.Second // in a namespace that is being deleted
)

// guardData has an instance whose data is to go with it held until Postgres knows.
func (r *instanceReconciler) guardData(ctx context.Context, p *pass) bool {
	want := p.instance.Spec.DeletionPolicy == v1alpha1.DeletionDelete
	if want == controllerutil.ContainsFinalizer(p.instance, v1alpha1.FinalizerData) {
		return true
	}
	if err := r.setFinalizer(ctx, p, want); err != nil {
		p.add(v1alpha1.ConditionDatabaseReady, explain(err, "the instance's finalizer"))
		return false
	}
	return true
}

func (r *instanceReconciler) setFinalizer(ctx context.Context, p *pass, on bool) error {
	if err := setFinalizer(ctx, r.client, v1alpha1.KindSocialOpsInstance, p.instance, v1alpha1.FinalizerData, on); err != nil {
		return err
	}
	p.memory.status, p.memory.version = p.instance.Status.DeepCopy(), p.instance.ResourceVersion
	return nil
}

// leave lets a deleted instance go, once Postgres knows what is to become of its data.
// Its objects are left to the cluster's garbage collector.
func (r *instanceReconciler) leave(ctx context.Context, p *pass) {
	in := p.instance
	p.deleting = "the instance is being deleted"
	if !controllerutil.ContainsFinalizer(in, v1alpha1.FinalizerData) {
		return // others hold it
	}
	if in.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		err := r.platform.delete(ctx, p.name)
		switch {
		case err == nil:
			p.notes = append(p.notes, note{corev1.EventTypeNormal, eventDataRemoval, actionDelete, "the instance's data is being removed"})
		case !r.tired(ctx, p):
			p.deleting = oneLine("the instance is being deleted, and Postgres can't be told yet to remove its data: " + messageOf(err))
			if inbox.CodeOf(err) == "" {
				p.err = err
			}
			p.retry(retryDelete)
			return
		default:
			p.notes = append(p.notes, note{
				corev1.EventTypeWarning, eventDataAbandoned, actionDelete,
				"Postgres couldn't be told to remove the instance's data; the operator sees to it once it can: " + messageOf(err),
			})
		}
	}
	if err := r.setFinalizer(ctx, p, false); err != nil && !apierrors.IsNotFound(err) {
		p.add(v1alpha1.ConditionReady, explain(err, "to let the instance go"))
		if problem, ok := p.problems[v1alpha1.ConditionReady]; ok {
			p.deleting = "the instance is being deleted: " + problem.message
		}
		return
	}
	p.gone = len(in.Finalizers) == 0
}

// abandon lets go of an instance whose namespace is being deleted, before it is deleted
// itself: by then the namespace's Role, which lets the operator do so, may be gone.
func (r *instanceReconciler) abandon(ctx context.Context, p *pass) {
	p.memory.doomed, p.notes = true, nil
	p.deleting = "the namespace is being deleted"
	if !controllerutil.ContainsFinalizer(p.instance, v1alpha1.FinalizerData) {
		return
	}
	// Without an answer the next list of what is there tells Postgres.
	if err := r.platform.delete(ctx, p.name); err != nil && inbox.CodeOf(err) == "" {
		p.err = err
	}
	if err := r.setFinalizer(ctx, p, false); err != nil && !apierrors.IsNotFound(err) {
		p.err = err
	}
}

const retryDelete = 5 * time.Second

// tired tells whether the instance was held long enough.
func (r *instanceReconciler) tired(ctx context.Context, p *pass) bool {
	held := r.now().Sub(p.instance.DeletionTimestamp.Time)
	if held < holdForTerminating {
		return false
	}
	return held >= holdFor || namespaceTerminating(ctx, r.live, p.name.Namespace)
}

// bury has Postgres told that an instance is gone.
func (r *instanceReconciler) bury(ctx context.Context, name types.NamespacedName) (ctrl.Result, error) {
	if err := r.platform.end(ctx, name); err != nil {
		return r.failed(ctx, name, fmt.Errorf("ending an instance that is gone: %w", err))
	}
	m := r.memory.peek(name)
	r.memory.forget(name)
	r.look(false, r.rollouts.settle(name, false)...)
	if m != nil {
		r.lookAtAlias(ctx, m.alias)
	}
	return ctrl.Result{}, nil
}
