package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// Indexes of the caches.
const (
	indexOwner     = "metadata.ownerReferences.uid" // of what an instance owns
	indexAlias     = "spec.alias"                   // of instances
	indexKeySecret = "spec.apiKeys.secretRef.name"  // of instances
)

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

func ownerUID(o client.Object) []string {
	if c := metav1.GetControllerOfNoCopy(o); c != nil && isInstance(c) {
		return []string{string(c.UID)}
	}
	return nil
}

func aliasOf(o client.Object) []string {
	if in, ok := o.(*v1alpha1.SocialOpsInstance); ok {
		return []string{in.Spec.Alias}
	}
	return nil
}

func keySecretsOf(o client.Object) []string {
	in, ok := o.(*v1alpha1.SocialOpsInstance)
	if !ok {
		return nil
	}
	names := map[string]bool{}
	for _, k := range in.Spec.APIKeys {
		names[k.SecretRef.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// index makes the caches' indexes, before they are filled.
func (r *instanceReconciler) index(ctx context.Context) error {
	for field, values := range map[string]client.IndexerFunc{indexAlias: aliasOf, indexKeySecret: keySecretsOf} {
		if err := r.caches.main.IndexField(ctx, &v1alpha1.SocialOpsInstance{}, field, values); err != nil {
			return fmt.Errorf("indexing instances by %s: %w", field, err)
		}
	}
	for _, gvk := range desired.Kinds() {
		if gvk == kindHTTPRoute {
			continue
		}
		if err := r.caches.main.IndexField(ctx, cachedAs(gvk), indexOwner, ownerUID); err != nil {
			return fmt.Errorf("indexing %ss by owner: %w", gvk.Kind, err)
		}
	}
	return nil
}

// watch has every change looked at that can mean something for an instance.
func (r *instanceReconciler) watch(c controller.Controller) error {
	sources := []source.Source{
		source.Func(func(_ context.Context, q queue) error { r.queue.Store(&q); return nil }),
		source.Kind[client.Object](r.caches.main, &v1alpha1.SocialOpsInstance{}, r.instanceEvents()),
		source.Kind[client.Object](r.caches.main, &v1alpha1.ChannelBinding{}, bindingEvents()),
		source.Kind[client.Object](r.caches.keys, metadataOf(kindSecret), r.keySecretEvents()),
	}
	for _, gvk := range desired.Kinds() {
		if gvk != kindHTTPRoute {
			sources = append(sources, source.Kind(r.caches.main, cachedAs(gvk), r.ownedEvents(gvk.Kind)))
		}
	}
	for _, s := range sources {
		if err := c.Watch(s); err != nil {
			return fmt.Errorf("watching: %w", err)
		}
	}
	r.routes.watch = func(i cache.Informer) error {
		if err := c.Watch(&source.Informer{Informer: i, Handler: r.ownedEvents(kindHTTPRoute.Kind)}); err != nil {
			return fmt.Errorf("watching HTTPRoutes: %w", err)
		}
		return nil
	}
	return nil
}

// instanceEvents: the operator's own status writes are no news.
func (r *instanceReconciler) instanceEvents() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			enqueue(q, e.IsInInitialList, client.ObjectKeyFromObject(e.Object))
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			was, is := e.ObjectOld, e.ObjectNew
			if was.GetUID() != is.GetUID() || was.GetGeneration() != is.GetGeneration() ||
				(was.GetDeletionTimestamp() == nil) != (is.GetDeletionTimestamp() == nil) ||
				!maps.Equal(was.GetAnnotations(), is.GetAnnotations()) || !slices.Equal(was.GetFinalizers(), is.GetFinalizers()) {
				enqueue(q, false, client.ObjectKeyFromObject(is))
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			enqueue(q, false, client.ObjectKeyFromObject(e.Object))
		},
	}
}

// ownedEvents looks at an instance again when an object of its changes in a way that
// matters, and not by ourselves. Those that are there when the operator starts bring
// nothing that their instances' own events don't.
func (r *instanceReconciler) ownedEvents(kind string) handler.EventHandler {
	owner := func(o client.Object) (types.NamespacedName, bool) {
		c := metav1.GetControllerOfNoCopy(o)
		if c == nil || !isInstance(c) {
			// Its reference was taken off by hand: the label still tells.
			name := o.GetLabels()[v1alpha1.LabelInstance]
			return types.NamespacedName{Namespace: o.GetNamespace(), Name: name}, name != ""
		}
		return types.NamespacedName{Namespace: o.GetNamespace(), Name: c.Name}, true
	}
	notify := func(o client.Object, q queue) {
		name, ok := owner(o)
		if !ok {
			return
		}
		m := r.memory.peek(name)
		if m == nil {
			return
		}
		// Of what has a status that counts, no version is only ours: an apply that changes
		// nothing answers with the version that somebody else's change made.
		if echo := m.echo(objectKey{kind, o.GetName()}, o); !echo || kind == kindDeployment.Kind || kind == kindHTTPRoute.Kind {
			enqueue(q, false, name)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				notify(e.Object, q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			if relevance(e.ObjectOld) != relevance(e.ObjectNew) {
				notify(e.ObjectNew, q)
				if was, ok := owner(e.ObjectOld); ok {
					if is, ok := owner(e.ObjectNew); !ok || is != was {
						enqueue(q, false, was)
					}
				}
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			name, ok := owner(e.Object)
			if !ok {
				return
			}
			// Whoever has no memory of it has seen the instance go.
			if m := r.memory.peek(name); m != nil {
				m.gone(objectKey{kind, e.Object.GetName()}, e.Object.GetUID(), e.Object.GetResourceVersion(), r.now())
				enqueue(q, false, name)
			}
		},
	}
}

// bindingEvents keep an instance's number of channels true.
func bindingEvents() handler.EventHandler {
	notify := func(o client.Object, q queue) {
		if b, ok := o.(*v1alpha1.ChannelBinding); ok {
			enqueue(q, false, types.NamespacedName{Namespace: b.Namespace, Name: b.Spec.InstanceRef.Name})
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList && counts(e.Object) {
				notify(e.Object, q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			if counts(e.ObjectOld) != counts(e.ObjectNew) {
				notify(e.ObjectNew, q)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			if counts(e.Object) {
				notify(e.Object, q)
			}
		},
	}
}

// counts tells whether a binding is one of its instance's active channels.
func counts(o client.Object) bool {
	b, ok := o.(*v1alpha1.ChannelBinding)
	return ok && b.DeletionTimestamp == nil && b.Spec.IsActive() && meta.IsStatusConditionTrue(b.Status.Conditions, v1alpha1.ConditionChannelBound)
}

// keySecretEvents: a labelled Secret that holds API keys changed, or came or went.
func (r *instanceReconciler) keySecretEvents() handler.EventHandler {
	notify := func(ctx context.Context, o client.Object, q queue) {
		var users v1alpha1.SocialOpsInstanceList
		if err := r.client.List(ctx, &users, client.InNamespace(o.GetNamespace()), client.MatchingFields{indexKeySecret: o.GetName()}, client.UnsafeDisableDeepCopy); err != nil {
			return // the cache is not filled yet: every instance is looked at after that
		}
		for i := range users.Items {
			enqueue(q, false, client.ObjectKeyFromObject(&users.Items[i]))
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				notify(ctx, e.Object, q)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if e.ObjectOld.GetResourceVersion() != e.ObjectNew.GetResourceVersion() {
				notify(ctx, e.ObjectNew, q)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { notify(ctx, e.Object, q) },
	}
}

// enqueue asks for a look at an instance. What nobody waits for lets the others go first.
func enqueue(q queue, patient bool, name types.NamespacedName) {
	request := ctrl.Request{NamespacedName: name}
	if p, ok := q.(priorityqueue.PriorityQueue[ctrl.Request]); ok && patient {
		low := handler.LowPriority
		p.AddWithOpts(priorityqueue.AddOpts{Priority: &low}, request)
		return
	}
	q.Add(request)
}

// queueRef is the controller's queue, once it has started.
type queueRef = atomic.Pointer[queue]

// look asks for a look at instances.
func (r *instanceReconciler) look(patient bool, names ...types.NamespacedName) {
	q := r.queue.Load()
	if q == nil {
		return // every instance is looked at when the queue starts
	}
	for _, n := range names {
		enqueue(*q, patient, n)
	}
}

// lookAtAll asks for a look at every instance.
func (r *instanceReconciler) lookAtAll(ctx context.Context) {
	var all v1alpha1.SocialOpsInstanceList
	if err := r.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache is not filled yet
	}
	for i := range all.Items {
		r.look(true, client.ObjectKeyFromObject(&all.Items[i]))
	}
}

// lookAtAlias asks for a look at the instances that want an alias.
func (r *instanceReconciler) lookAtAlias(ctx context.Context, alias string) {
	var claimants v1alpha1.SocialOpsInstanceList
	if err := r.client.List(ctx, &claimants, client.MatchingFields{indexAlias: alias}, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	for i := range claimants.Items {
		r.look(false, client.ObjectKeyFromObject(&claimants.Items[i]))
	}
}
