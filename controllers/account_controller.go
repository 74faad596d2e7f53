package controllers

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
)

// accountReconciler projects labelled Secrets as connected accounts, whether or not
// anybody binds them. It knows their metadata, and reads one whole when it changed.
type accountReconciler struct {
	platform *platform
	live     client.Reader
	cache    cache.Cache // of labelled Secrets' metadata
	recorder events.EventRecorder
	log      *slog.Logger
	failures repeats
	now      func() time.Time
	queue    wake

	mu    sync.Mutex
	known map[types.NamespacedName]*knownAccount
}

// knownAccount is what is remembered of an account.
type knownAccount struct {
	stale   atomic.Bool // somebody asked for another look
	mu      sync.Mutex  // is held by who projects it
	version string      // of the Secret as last projected; "": never
	epoch   uint64
	checkAt time.Time
}

func newAccountReconciler(mgr ctrl.Manager, c *caches, p *platform) *accountReconciler {
	return &accountReconciler{
		platform: p, live: mgr.GetAPIReader(), cache: c.accounts, recorder: mgr.GetEventRecorder(reporter),
		log: p.options.Log, now: p.options.Now, known: map[types.NamespacedName]*knownAccount{},
	}
}

// What a reconcile of an account needs to be allowed in its namespace. The generator
// overlooks it in a function's own comment.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// addTo has the manager run the reconciler.
func (r *accountReconciler) addTo(mgr ctrl.Manager) error {
	c, err := controller.New("account", mgr, controllerOptions(r, r.platform.options.Workers))
	if err != nil {
		return fmt.Errorf("making the controller of accounts: %w", err)
	}
	for _, s := range []source.Source{
		r.queue.source(),
		source.Kind[client.Object](r.cache, metadataOf(kindSecret), &handler.EnqueueRequestForObject{}),
	} {
		if err := c.Watch(s); err != nil {
			return fmt.Errorf("watching: %w", err)
		}
	}
	return nil
}

// Reconcile implements [reconcile.Reconciler].
func (r *accountReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	again, err := r.ensure(ctx, request.NamespacedName, nil)
	return r.platform.result(ctx, again, err, &r.failures, "account", request.NamespacedName)
}

// ensure projects an account, unless it is as it was when it was last projected, and
// has those bindings looked at that use it, but for one. It tells when to call it again
// though nothing changed; zero: never.
func (r *accountReconciler) ensure(ctx context.Context, name types.NamespacedName, asking *types.NamespacedName) (again time.Time, err error) {
	s := metadataOf(kindSecret)
	err = r.cache.Get(ctx, name, s)
	switch {
	case apierrors.IsNotFound(err):
		return r.remove(ctx, name, asking)
	case err != nil:
		return time.Time{}, fmt.Errorf("reading the account %s: %w", name, err)
	}
	k := r.of(name)
	k.mu.Lock()
	defer k.mu.Unlock()
	epoch, now := r.platform.epoch(), r.now()
	if !k.stale.Swap(false) && k.epoch == epoch && (k.version == s.ResourceVersion || older(s.ResourceVersion, k.version)) && (k.checkAt.IsZero() || now.Before(k.checkAt)) {
		return k.checkAt, nil
	}
	whole := &corev1.Secret{}
	err = r.live.Get(ctx, name, whole)
	switch {
	case apierrors.IsNotFound(err) || err == nil && whole.Labels[v1alpha1.LabelConnectedAccount] == "":
		k.stale.Store(true)
		return now.Add(time.Second), nil // the cache will have heard of it by then
	case err != nil:
		k.stale.Store(true)
		return time.Time{}, &problemError{explain(err, fmt.Sprintf("to read the Secret %q", name.Name))}
	}
	result, err := r.platform.Projector.Account(ctx, &project.Secret{
		Namespace: name.Namespace, Name: name.Name, Labels: whole.Labels, Annotations: whole.Annotations, Data: whole.Data,
	})
	if err != nil {
		k.stale.Store(true)
		return time.Time{}, err //nolint:wrapcheck // says what it was doing
	}
	k.version, k.epoch, k.checkAt = whole.ResourceVersion, epoch, result.CheckAt
	r.tell(whole, result)
	if result.Changed {
		r.changed(ctx, name, asking)
	}
	return result.CheckAt, nil
}

// of is what is remembered of an account.
func (r *accountReconciler) of(name types.NamespacedName) *knownAccount {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.known[name]
	if k == nil {
		k = &knownAccount{}
		r.known[name] = k
	}
	return k
}

func (r *accountReconciler) forget(name types.NamespacedName) (known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known = r.known[name]
	delete(r.known, name)
	return known
}

// remove forgets the account of a Secret that is gone or no account any more.
func (r *accountReconciler) remove(ctx context.Context, name types.NamespacedName, asking *types.NamespacedName) (again time.Time, err error) {
	if asking != nil {
		return time.Time{}, nil // the Secret's own event has it removed
	}
	again, err = r.platform.Projector.RemoveAccount(ctx, name.Namespace, name.Name)
	if err != nil {
		return again, err //nolint:wrapcheck // says what it was doing
	}
	// Bindings give up what they had of it, and then it can go.
	if r.forget(name) || again.IsZero() {
		r.changed(ctx, name, nil)
	}
	return again, nil
}

// changed has those looked at for whom an account's change means something.
func (r *accountReconciler) changed(ctx context.Context, name types.NamespacedName, asking *types.NamespacedName) {
	r.platform.bindings.lookBut(ctx, asking, client.InNamespace(name.Namespace), client.MatchingFields{indexBindingAccount: name.Name})
	r.platform.bindings.lookAtLosers()
}

// tell reports what the provider says of an account, if it says something else than before.
func (r *accountReconciler) tell(s *corev1.Secret, result project.AccountResult) {
	was := meta.FindStatusCondition(result.Before, v1alpha1.ConditionAccountProven)
	is := meta.FindStatusCondition(result.Conditions, v1alpha1.ConditionAccountProven)
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue {
		kind = corev1.EventTypeNormal
	}
	about := &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{
		Namespace: s.Namespace, Name: s.Name, UID: s.UID, ResourceVersion: s.ResourceVersion,
	}}
	tell(r.recorder, about, note{kind, is.Reason, actionReconcile, is.Message})
}

// look has accounts projected again, whatever is remembered of them.
func (r *accountReconciler) look(ctx context.Context, options ...client.ListOption) {
	var all metav1.PartialObjectMetadataList
	all.SetGroupVersionKind(kindSecret.GroupVersion().WithKind("SecretList"))
	if err := r.cache.List(ctx, &all, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return // the cache is not filled yet: every account is looked at after that
	}
	for i := range all.Items {
		r.lookAt(client.ObjectKeyFromObject(&all.Items[i]))
	}
}

func (r *accountReconciler) lookAt(name types.NamespacedName) {
	r.of(name).stale.Store(true)
	r.queue.look(name)
}
