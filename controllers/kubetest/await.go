package kubetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"
)

// Patience bounds each wait. It is for machines that do ten other things.
const Patience = time.Minute

// Await watches the object that has o's kind, namespace and name until ok says that
// it is as wanted, and returns it so. what is what is waited for, for the message of
// a wait in vain.
func Await[T client.Object](t testing.TB, e *Env, o T, what string, ok func(T) bool) T {
	t.Helper()
	var found T
	var last client.Object
	err := e.follow(t.Context(), o, func(now client.Object) bool {
		last = now
		if now == nil {
			return false
		}
		typed, is := now.(T)
		if is && ok(typed) {
			found = typed
			return true
		}
		return false
	})
	if err != nil {
		t.Fatalf("%T %s, until it %s: %v; last seen as\n%s", o, client.ObjectKeyFromObject(o), what, err, describe(last))
	}
	return found
}

// AwaitGone waits until there is no object of o's kind, namespace and name.
func AwaitGone(t testing.TB, e *Env, o client.Object) {
	t.Helper()
	var last client.Object
	err := e.follow(t.Context(), o, func(now client.Object) bool {
		last = now
		return now == nil
	})
	if err != nil {
		t.Fatalf("%T %s, until it is gone: %v; last seen as\n%s", o, client.ObjectKeyFromObject(o), err, describe(last))
	}
}

// follow calls done with each version of an object, nil when there is none, until it
// returns true.
func (e *Env) follow(ctx context.Context, o client.Object, done func(client.Object) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("not within %s", Patience))
	defer cancel()
	if err := e.place(o); err != nil {
		return err
	}
	list, err := e.listFor(o)
	if err != nil {
		return err
	}
	for {
		finished, err := e.followOnce(ctx, o, list, done)
		if finished || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (e *Env) followOnce(ctx context.Context, o client.Object, list client.ObjectList, done func(client.Object) bool) (bool, error) {
	w, err := e.Client.Watch(ctx, list, client.InNamespace(o.GetNamespace()), client.MatchingFields{metav1.ObjectNameField: o.GetName()})
	if err != nil {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		return false, fmt.Errorf("watching: %w", err)
	}
	defer w.Stop()
	// The watch begins with what is there; that there is nothing, only a read tells.
	missing := o.DeepCopyObject().(client.Object)
	if err := e.Client.Get(ctx, client.ObjectKeyFromObject(o), missing); apierrors.IsNotFound(err) && done(nil) {
		return true, nil
	}
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case event, open := <-w.ResultChan():
			if !open {
				return false, nil
			}
			switch event.Type {
			case watch.Added, watch.Modified:
				if now, is := event.Object.(client.Object); is && done(now) {
					return true, nil
				}
			case watch.Deleted:
				if done(nil) {
					return true, nil
				}
			case watch.Error:
				return false, apierrors.FromObject(event.Object)
			}
		}
	}
}

// place puts an object into the test's namespace that names none and needs one.
func (e *Env) place(o client.Object) error {
	if o.GetNamespace() != "" {
		return nil
	}
	namespaced, err := e.Client.IsObjectNamespaced(o)
	if err != nil {
		return fmt.Errorf("looking up the kind of %s: %w", o.GetName(), err)
	}
	if namespaced {
		o.SetNamespace(e.Namespace)
	}
	return nil
}

// listFor is an empty list of an object's kind.
func (e *Env) listFor(o client.Object) (client.ObjectList, error) {
	gvk, err := apiutil.GVKForObject(o, Scheme())
	if err != nil {
		return nil, fmt.Errorf("the kind of %s: %w", o.GetName(), err)
	}
	gvk.Kind += "List"
	switch o.(type) {
	case *unstructured.Unstructured:
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		return list, nil
	case *metav1.PartialObjectMetadata:
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk)
		return list, nil
	}
	list, err := Scheme().New(gvk)
	if err != nil {
		return nil, fmt.Errorf("a list of %s: %w", gvk.Kind, err)
	}
	typed, ok := list.(client.ObjectList)
	if !ok {
		return nil, errors.New(gvk.Kind + " is no list")
	}
	return typed, nil
}

// describe is an object for a person to read, without values of Secrets.
func describe(o client.Object) string {
	if o == nil {
		return "nothing"
	}
	o = o.DeepCopyObject().(client.Object)
	o.SetManagedFields(nil)
	if s, ok := o.(*corev1.Secret); ok {
		for key := range s.Data {
			s.Data[key] = nil
		}
	}
	text, err := yaml.Marshal(o)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
