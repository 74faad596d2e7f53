package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/provider"
)

// How long a deleted binding is held while its webhook can't be removed.
const (
	holdWebhook            = 60 * time.Second
	holdWebhookTerminating = 30 * time.Second // in a namespace that is being deleted
	retryWebhook           = 5 * time.Second
)

const eventWebhookLeft = "WebhookLeft"

// connects tells whether a binding's provider has a webhook to register, and remove.
func (r *bindingReconciler) connects(b *v1alpha1.ChannelBinding) bool {
	_, ok := r.platform.options.Providers[string(b.Spec.Provider)].(provider.Connector)
	return ok
}

// guarded tells whether a binding has the finalizer that it needs.
func (r *bindingReconciler) guarded(b *v1alpha1.ChannelBinding) bool {
	return !r.connects(b) || controllerutil.ContainsFinalizer(b, v1alpha1.FinalizerWebhook)
}

// guardWebhook has a binding held when it is deleted, until its webhook is removed. That
// comes before anything is registered.
func (r *bindingReconciler) guardWebhook(ctx context.Context, p *bindingPass) error {
	if r.guarded(p.binding) {
		return nil
	}
	if err := setFinalizer(ctx, r.client, v1alpha1.KindChannelBinding, p.binding, v1alpha1.FinalizerWebhook, true); err != nil {
		return err
	}
	p.known.status, p.known.version = p.binding.Status.DeepCopy(), p.binding.ResourceVersion
	return nil
}

// leave closes the channel of a binding that is being deleted, and lets it go once its
// bot's webhook is removed, or could not be for long.
func (r *bindingReconciler) leave(ctx context.Context, b *v1alpha1.ChannelBinding) (again time.Time, err error) {
	name := client.ObjectKeyFromObject(b)
	retryAt, err := r.platform.Projector.RemoveBinding(ctx, name.Namespace, name.Name)
	if !controllerutil.ContainsFinalizer(b, v1alpha1.FinalizerWebhook) {
		if err == nil {
			r.gone(b)
		}
		return time.Time{}, err //nolint:wrapcheck // says what it was doing
	}
	closed := err == nil
	if err != nil || !retryAt.IsZero() {
		now := r.now()
		if until := r.heldUntil(ctx, b, now); now.Before(until) {
			return soonest(until, retryAt, now.Add(retryWebhook)), nil
		}
		r.tellLeft(b, err)
	}
	if err := setFinalizer(ctx, r.client, v1alpha1.KindChannelBinding, b, v1alpha1.FinalizerWebhook, false); err != nil && !apierrors.IsNotFound(err) {
		return time.Time{}, err
	}
	if closed {
		r.gone(b)
	}
	return time.Time{}, nil
}

// heldUntil is how long a binding is held at most.
func (r *bindingReconciler) heldUntil(ctx context.Context, b *v1alpha1.ChannelBinding, now time.Time) time.Time {
	since := b.DeletionTimestamp.Time
	if early := since.Add(holdWebhookTerminating); !now.Before(early) && namespaceTerminating(ctx, r.live, b.Namespace) {
		return early
	}
	return since.Add(holdWebhook)
}

// soonest is the first of some times to come; a zero one never comes.
func soonest(times ...time.Time) (first time.Time) {
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

func (r *bindingReconciler) tellLeft(b *v1alpha1.ChannelBinding, err error) {
	text := "the bot's webhook could not be removed in time, as the provider was away; the operator sees to it once it can, while the account's Secret is there"
	if err != nil {
		text = "the channel could not be closed in time; the operator sees to it once it can: " + messageOf(err)
	}
	tell(r.recorder, b, note{corev1.EventTypeWarning, eventWebhookLeft, actionDelete, text})
}

// bury closes the channel of a binding that is gone.
func (r *bindingReconciler) bury(ctx context.Context, name types.NamespacedName) (again time.Time, err error) {
	if r.memory.closed(name) {
		return time.Time{}, nil
	}
	if _, err := r.platform.Projector.RemoveBinding(ctx, name.Namespace, name.Name); err != nil {
		return time.Time{}, err //nolint:wrapcheck // says what it was doing
	}
	r.memory.forget(name)
	r.accounts.look(ctx, client.InNamespace(name.Namespace)) // one of them sees to a webhook that is still there
	r.lookAtLosers()
	return time.Time{}, nil
}

// gone has those looked at who may have what a binding had whose channel is closed,
// and its account, which sees to a webhook that is still there.
func (r *bindingReconciler) gone(b *v1alpha1.ChannelBinding) {
	r.memory.close(client.ObjectKeyFromObject(b))
	if account := b.Spec.ConnectedAccountRef.Name; account != "" {
		r.accounts.lookAt(types.NamespacedName{Namespace: b.Namespace, Name: account})
	}
	r.lookAtLosers()
}
