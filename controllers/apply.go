package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// applier makes an instance's objects what they should be, and nobody else's.
type applier struct {
	client client.Client // writes
	live   client.Reader // asks the API server itself
	now    func() time.Time
}

// change is what became of an object.
type change int

const (
	unchanged change = iota
	created
	updated
)

// apply makes an object what it should be, by server-side apply. live is the cached
// object of that name, nil when the cache has none: then the API server is asked first,
// since an apply would take over whatever has that name, unless it is known to be free.
func (a *applier) apply(ctx context.Context, in *v1alpha1.SocialOpsInstance, m *remembered, o *desired.Object, live client.Object, free bool) (change, error) {
	key := objectKey{o.GVK.Kind, o.Name}
	if m.holds(key, o.Hash, live, a.now()) {
		return unchanged, nil
	}
	if live == nil && !free {
		found, err := a.find(ctx, o.GVK, in.Namespace, o.Name)
		if err != nil {
			return unchanged, err
		}
		if found != nil {
			live = found
		}
	}
	if live != nil {
		if err := a.claim(ctx, in, m, o.GVK.Kind, live); err != nil {
			return unchanged, err
		}
	}
	if live != nil && live.GetDeletionTimestamp() != nil {
		return unchanged, &leavingError{o.GVK.Kind, o.Name}
	}
	data, err := json.Marshal(o.Apply)
	if err != nil {
		return unchanged, fmt.Errorf("encoding the %v: %w", o, err)
	}
	after := metadataOf(o.GVK)
	after.Namespace, after.Name = o.Namespace, o.Name
	// The answer is the metadata alone, which is all that is remembered of it.
	if err := a.client.Patch(ctx, after, client.RawPatch(types.ApplyPatchType, data), client.FieldOwner(desired.FieldManager), client.ForceOwnership); err != nil {
		return unchanged, fmt.Errorf("applying the %v: %w", o, err)
	}
	m.put(key, &applied{hash: o.Hash, uid: after.UID, version: after.ResourceVersion, seen: fingerprintOf(after), at: a.now()})
	switch {
	case live == nil:
		return created, nil
	case differs(live, after):
		return updated, nil
	default:
		return unchanged, nil
	}
}

// find reads an object's metadata from the API server, nil when there is none.
func (a *applier) find(ctx context.Context, gvk schema.GroupVersionKind, namespace, name string) (client.Object, error) {
	o := metadataOf(gvk)
	err := a.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o)
	switch {
	case apierrors.IsNotFound(err) && !isUnknown(err):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, fmt.Errorf("looking for a %s %s: %w", gvk.Kind, name, err)
	}
	return o, nil
}

func isUnknown(err error) bool {
	return explain(err, "").reason == v1alpha1.ReasonGatewayAPIMissing
}

// claim fails unless an object is the instance's. What a former instance of the same
// name left behind goes the way that it was going to anyway.
func (a *applier) claim(ctx context.Context, in *v1alpha1.SocialOpsInstance, m *remembered, kind string, o client.Object) error {
	switch whose(o, in, m.made(objectKey{kind, o.GetName()}, o.GetUID())) {
	case ours:
		return nil
	case formers:
		if err := a.remove(ctx, o); err != nil {
			return err
		}
		return &leavingError{kind, o.GetName()}
	default:
		return &foreignError{kind, o.GetName()}
	}
}

type ownership int

const (
	foreign ownership = iota
	ours
	formers // of an instance of the same name that is gone
)

// whose decides by an object's controller. made tells that we made it: its reference
// to the instance was taken off by hand then.
func whose(o metav1.Object, in *v1alpha1.SocialOpsInstance, made bool) ownership {
	c := metav1.GetControllerOfNoCopy(o)
	switch {
	case c == nil && made, c != nil && c.UID == in.UID:
		return ours
	case c != nil && isInstance(c) && c.Name == in.Name:
		return formers
	default:
		return foreign
	}
}

func isInstance(r *metav1.OwnerReference) bool {
	gv, err := schema.ParseGroupVersion(r.APIVersion)
	return err == nil && gv.Group == v1alpha1.GroupVersion.Group && r.Kind == v1alpha1.KindSocialOpsInstance
}

// prune deletes what the instance owns and should not have.
func (a *applier) prune(ctx context.Context, m *remembered, owned []client.Object, wanted []desired.Object) (deleted []client.Object, err error) {
	for _, o := range owned {
		kind := o.GetObjectKind().GroupVersionKind()
		if o.GetDeletionTimestamp() != nil || slices.ContainsFunc(wanted, func(w desired.Object) bool { return w.GVK.GroupKind() == kind.GroupKind() && w.Name == o.GetName() }) {
			continue
		}
		if err := a.remove(ctx, o); err != nil {
			return deleted, err
		}
		m.gone(objectKey{kind.Kind, o.GetName()}, o.GetUID(), o.GetResourceVersion(), a.now())
		deleted = append(deleted, o)
	}
	return deleted, nil
}

// remove deletes this very object, not one that has taken its name meanwhile.
func (a *applier) remove(ctx context.Context, o client.Object) error {
	uid := o.GetUID()
	err := a.client.Delete(ctx, o, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // it is another one by now, or none
	}
	if err != nil {
		return fmt.Errorf("deleting the %s %q: %w", o.GetObjectKind().GroupVersionKind().Kind, o.GetName(), err)
	}
	return nil
}
