package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Indexes of bindings.
const (
	indexBindingInstance = "spec.instanceRef.name"
	indexBindingAccount  = "spec.connectedAccountRef.name"
)

// index makes the bindings' indexes, before the cache is filled.
func (r *bindingReconciler) index(ctx context.Context, mgr ctrl.Manager) error {
	for field, value := range map[string]func(*v1alpha1.ChannelBinding) string{
		indexBindingInstance: func(b *v1alpha1.ChannelBinding) string { return b.Spec.InstanceRef.Name },
		indexBindingAccount:  func(b *v1alpha1.ChannelBinding) string { return b.Spec.ConnectedAccountRef.Name },
	} {
		err := mgr.GetCache().IndexField(ctx, &v1alpha1.ChannelBinding{}, field, func(o client.Object) []string {
			b, ok := o.(*v1alpha1.ChannelBinding)
			if !ok || value(b) == "" {
				return nil
			}
			return []string{value(b)}
		})
		if err != nil {
			return fmt.Errorf("indexing bindings by %s: %w", field, err)
		}
	}
	return nil
}

// watch has every change looked at that can mean something for a binding. Accounts
// have their own controller, which tells.
func (r *bindingReconciler) watch(mgr ctrl.Manager, c controller.Controller) error {
	for _, s := range []source.Source{
		r.queue.source(),
		source.Kind[client.Object](mgr.GetCache(), &v1alpha1.ChannelBinding{}, &handler.EnqueueRequestForObject{}),
		source.Kind[client.Object](mgr.GetCache(), &v1alpha1.SocialOpsInstance{}, r.instanceEvents()),
	} {
		if err := c.Watch(s); err != nil {
			return fmt.Errorf("watching: %w", err)
		}
	}
	return nil
}

// instanceEvents has an instance's bindings looked at when it comes, goes or changes.
func (r *bindingReconciler) instanceEvents() handler.EventHandler {
	notify := func(ctx context.Context, o client.Object) {
		r.look(ctx, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexBindingInstance: o.GetName()})
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, _ queue) {
			if !e.IsInInitialList {
				notify(ctx, e.Object)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, _ queue) {
			if e.ObjectOld.GetUID() != e.ObjectNew.GetUID() || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || claimed(e.ObjectOld) != claimed(e.ObjectNew) {
				notify(ctx, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, _ queue) { notify(ctx, e.Object) },
	}
}

// claimed tells whether an instance says that it is in Postgres.
func claimed(o client.Object) bool {
	in, ok := o.(*v1alpha1.SocialOpsInstance)
	return ok && isTrue(in.Status.Conditions, v1alpha1.ConditionAliasClaimed) && isTrue(in.Status.Conditions, v1alpha1.ConditionDatabaseReady)
}

func isTrue(conditions []metav1.Condition, kind string) bool {
	return meta.IsStatusConditionTrue(conditions, kind)
}

// look has bindings projected again, whatever is remembered of them.
func (r *bindingReconciler) look(ctx context.Context, options ...client.ListOption) {
	r.lookBut(ctx, nil, options...)
}

// lookBut is look, but for one of them.
func (r *bindingReconciler) lookBut(ctx context.Context, but *types.NamespacedName, options ...client.ListOption) {
	var all v1alpha1.ChannelBindingList
	if err := r.client.List(ctx, &all, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return // the cache is not filled yet: every binding is looked at after that
	}
	for i := range all.Items {
		if name := client.ObjectKeyFromObject(&all.Items[i]); but == nil || name != *but {
			r.memory.ask(name)
			r.queue.look(name)
		}
	}
}

// lookAtLosers looks again at the bindings whose chat or bot somebody else had.
func (r *bindingReconciler) lookAtLosers() {
	for _, name := range r.memory.allLosers() {
		r.memory.ask(name)
		r.queue.look(name)
	}
}
