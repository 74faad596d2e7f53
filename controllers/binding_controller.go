package controllers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
)

// bindingReconciler makes a ChannelBinding a channel, and its bot's webhook one that
// leads here.
type bindingReconciler struct {
	platform *platform
	accounts *accountReconciler
	client   client.Client // reads from the manager's cache
	live     client.Reader
	recorder events.EventRecorder
	log      *slog.Logger
	failures repeats
	now      func() time.Time
	queue    wake
	memory   bindingMemory
}

func newBindingReconciler(mgr ctrl.Manager, _ *caches, p *platform) *bindingReconciler {
	return &bindingReconciler{
		platform: p, accounts: p.accounts, client: mgr.GetClient(), live: mgr.GetAPIReader(), recorder: mgr.GetEventRecorder(reporter),
		log: p.options.Log, now: p.options.Now,
	}
}

// What a reconcile of a binding needs to be allowed in its namespace. The generator
// overlooks it in a function's own comment.
//
// +kubebuilder:rbac:groups=socialops.dev,resources=channelbindings,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=socialops.dev,resources=channelbindings/status,verbs=patch
// +kubebuilder:rbac:groups=socialops.dev,resources=socialopsinstances,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// addTo has the manager run the reconciler.
func (r *bindingReconciler) addTo(ctx context.Context, mgr ctrl.Manager) error {
	if err := r.index(ctx, mgr); err != nil {
		return err
	}
	c, err := controller.New("channelbinding", mgr, controllerOptions(r, r.platform.options.Workers))
	if err != nil {
		return fmt.Errorf("making the controller of bindings: %w", err)
	}
	return r.watch(mgr, c)
}

// Reconcile implements [reconcile.Reconciler].
func (r *bindingReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	again, err := r.reconcile(ctx, request.NamespacedName)
	return r.platform.result(ctx, again, err, &r.failures, "ChannelBinding", request.NamespacedName)
}

// reconcile tells when to look again though nothing changed; zero: never.
func (r *bindingReconciler) reconcile(ctx context.Context, name types.NamespacedName) (again time.Time, err error) {
	b := &v1alpha1.ChannelBinding{}
	err = r.client.Get(ctx, name, b)
	switch {
	case apierrors.IsNotFound(err):
		return r.bury(ctx, name)
	case err != nil:
		return time.Time{}, fmt.Errorf("reading the binding: %w", err)
	case b.DeletionTimestamp != nil:
		return r.leave(ctx, b)
	}
	p := &bindingPass{binding: b, known: r.memory.of(name, b.UID)}
	p.seen = p.known.asked.Load()
	p.useLast()
	if last := p.known.last; r.current(p, last) {
		p.result, p.again = last.result, last.again
	} else if err := r.guardWebhook(ctx, p); err != nil {
		p.failed(r.now(), err, "the binding's finalizer")
	} else {
		r.project(ctx, p)
	}
	return r.conclude(ctx, p)
}

// bindingPass is one look at one binding.
type bindingPass struct {
	binding *v1alpha1.ChannelBinding
	known   *knownBinding
	seen    uint64                        // how often somebody asked for a look before this one
	before  v1alpha1.ChannelBindingStatus // as it was last written

	result project.BindingResult
	silent bool  // there is nothing new to be said
	err    error // why this is to be tried again
	again  time.Time
}

// useLast takes the status for what was last written, which the cache may not have seen yet.
func (p *bindingPass) useLast() {
	if p.known.version != "" && older(p.binding.ResourceVersion, p.known.version) {
		p.binding.Status = *p.known.status.DeepCopy()
	}
	p.before = *p.binding.Status.DeepCopy()
}

// failed has an API server's refusal said in a condition.
func (p *bindingPass) failed(now time.Time, err error, what string) {
	said := &problemError{explain(err, what)}
	if known, ok := errors.AsType[*problemError](err); ok {
		said = known
	}
	p.err, p.silent = said, said.err != nil
	p.result.Conditions = project.SummarizeBinding(p.binding, p.binding.Status.Conditions, now, metav1.Condition{
		Type: v1alpha1.ConditionAccountProven, Status: metav1.ConditionUnknown, Reason: said.reason, Message: said.message,
	})
}

// projectBindingEvery is how often Postgres is asked whether it still agrees though
// nothing changed, and retryTaken how often while another install may hold the bot.
const (
	projectBindingEvery = time.Hour
	retryTaken          = 5 * time.Minute
)

// current tells whether a binding is as it was when it was last projected, and so is
// all that this rests on.
func (r *bindingReconciler) current(p *bindingPass, last *projectedBinding) bool {
	return last != nil && last.generation == p.binding.Generation && last.epoch == r.platform.epoch() && last.asked == p.seen &&
		r.now().Before(last.again) && r.guarded(p.binding)
}

// project has the channel made what its manifest says.
func (r *bindingReconciler) project(ctx context.Context, p *bindingPass) {
	b, name := p.binding, client.ObjectKeyFromObject(p.binding)
	p.known.last = nil
	if account := b.Spec.ConnectedAccountRef.Name; account != "" {
		if _, err := r.accounts.ensure(ctx, types.NamespacedName{Namespace: b.Namespace, Name: account}, &name); err != nil && inbox.CodeOf(err) == "" {
			p.failed(r.now(), err, "the account")
			return
		}
	}
	instance, err := r.instanceOf(ctx, b)
	if err != nil {
		p.failed(r.now(), err, "the instance")
		return
	}
	epoch, now := r.platform.epoch(), r.now()
	p.result, p.err = r.platform.Projector.Binding(ctx, b, instance)
	switch {
	case p.err != nil:
		return
	case p.result.Stale: // the cache lags behind what was projected
		p.silent, p.again = true, now.Add(time.Second)
		return
	}
	p.again = now.Add(projectBindingEvery - jitter(b.UID, projectBindingEvery/5))
	if loses(p.result.Conditions) {
		p.again = now.Add(retryTaken)
	}
	if !p.result.CheckAt.IsZero() && p.result.CheckAt.Before(p.again) {
		p.again = p.result.CheckAt
	}
	p.known.last = &projectedBinding{generation: b.Generation, epoch: epoch, asked: p.seen, again: p.again, result: p.result}
	r.settle(ctx, p)
}

// instanceOf finds the instance that a binding names, nil when there is none.
func (r *bindingReconciler) instanceOf(ctx context.Context, b *v1alpha1.ChannelBinding) (*v1alpha1.SocialOpsInstance, error) {
	in := &v1alpha1.SocialOpsInstance{}
	err := r.client.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: b.Spec.InstanceRef.Name}, in)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // as the projection wants it
	}
	if err != nil {
		return nil, fmt.Errorf("reading the instance: %w", err)
	}
	return in, nil
}

// settle has those looked at who may have what a binding gave up.
func (r *bindingReconciler) settle(ctx context.Context, p *bindingPass) {
	b, name := p.binding, client.ObjectKeyFromObject(p.binding)
	r.memory.loses(name, loses(p.result.Conditions))
	is, was := claimsOf(b, p.result), p.known.claims
	p.known.claims = &is
	switch {
	case was == nil && isTrue(p.before.Conditions, v1alpha1.ConditionChannelBound) == is.bound, was != nil && *was == is:
		return
	case was != nil && was.account != "" && was.account != is.account:
		r.accounts.look(ctx, client.InNamespace(b.Namespace)) // its webhook may be nobody's now
	}
	r.lookAtLosers()
}

// loses tells whether somebody else has what a binding wants.
func loses(conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionChannelBound)
	return c != nil && (c.Reason == v1alpha1.ReasonChatBoundTwice || c.Reason == v1alpha1.ReasonBotTaken)
}
