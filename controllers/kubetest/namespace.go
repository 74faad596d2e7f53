package kubetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// DeleteNamespace deletes a namespace and does the namespace controller's work: it
// deletes what is in it, of every kind and at once, and lets the namespace go when
// all of it is gone. It fails the test when something is held back for too long.
func (e *Env) DeleteNamespace(t testing.TB, name string) {
	t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := e.Client.Delete(t.Context(), n); err != nil {
		t.Fatalf("deleting the namespace %s: %v", name, err)
	}
	kinds, err := e.namespacedKinds()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		o := &metav1.PartialObjectMetadata{}
		o.SetGroupVersionKind(kind)
		if err := e.Client.DeleteAllOf(t.Context(), o, client.InNamespace(name)); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
			t.Fatalf("deleting every %s of %s: %v", kind.Kind, name, err)
		}
	}
	for _, kind := range kinds {
		for _, o := range e.objects(t, kind, name) {
			AwaitGone(t, e, &o)
		}
	}
	if err := e.letGo(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	AwaitGone(t, e, n)
}

// Objects lists the metadata of every object of a namespace, but for Events.
func (e *Env) Objects(t testing.TB, namespace string) []metav1.PartialObjectMetadata {
	t.Helper()
	kinds, err := e.namespacedKinds()
	if err != nil {
		t.Fatal(err)
	}
	var all []metav1.PartialObjectMetadata
	for _, kind := range kinds {
		if kind.Kind != "Event" {
			all = append(all, e.objects(t, kind, namespace)...)
		}
	}
	return all
}

func (e *Env) objects(t testing.TB, kind schema.GroupVersionKind, namespace string) []metav1.PartialObjectMetadata {
	t.Helper()
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := e.Client.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
		t.Fatalf("listing every %s of %s: %v", kind.Kind, namespace, err)
	}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(kind)
	}
	return list.Items
}

// namespacedKinds are the kinds that are deleted with a namespace.
func (e *Env) namespacedKinds() ([]schema.GroupVersionKind, error) {
	d, err := discovery.NewDiscoveryClientForConfig(e.Config)
	if err != nil {
		return nil, fmt.Errorf("making a discovery client: %w", err)
	}
	lists, err := d.ServerPreferredNamespacedResources()
	if err != nil {
		return nil, fmt.Errorf("listing the API server's kinds: %w", err)
	}
	var kinds []schema.GroupVersionKind
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("listing the API server's kinds: %w", err)
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "deletecollection") {
				kinds = append(kinds, gv.WithKind(r.Kind))
			}
		}
	}
	return kinds, nil
}

// letGo removes the finalizer by which the namespace controller holds a namespace.
func (e *Env) letGo(ctx context.Context, name string) error {
	k, err := kubernetes.NewForConfig(e.Config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	n, err := k.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading the namespace %s: %w", name, err)
	}
	n.Spec.Finalizers = nil
	if _, err := k.CoreV1().Namespaces().Finalize(ctx, n, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("letting the namespace %s go: %w", name, err)
	}
	return nil
}
