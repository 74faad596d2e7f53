package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// newInstance is one of an instance's fullest kinds: every object that an instance may
// have but the HTTPRoute, which its Ingress stands for.
func newInstance(n int) *v1alpha1.SocialOpsInstance {
	name := fmt.Sprintf("inbox-%d", n)
	return &v1alpha1.SocialOpsInstance{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindSocialOpsInstance},
		ObjectMeta: metav1.ObjectMeta{Namespace: fleetNamespace(n), Name: name},
		Spec: v1alpha1.SocialOpsInstanceSpec{
			Alias: name, Owner: "bench",
			Autoscaling: v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 4},
			Exposure:    v1alpha1.Exposure{Type: v1alpha1.ExposureIngress},
		},
	}
}

// applyInstance applies what a person would have written.
func (f *fleet) applyInstance(ctx context.Context, n int) error {
	in := newInstance(n)
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": in.APIVersion, "kind": in.Kind,
		"metadata": map[string]any{"namespace": in.Namespace, "name": in.Name},
		"spec": map[string]any{
			"alias": in.Spec.Alias, "owner": in.Spec.Owner,
			"autoscaling": map[string]any{"minReplicas": int64(in.Spec.Autoscaling.MinReplicas), "maxReplicas": int64(in.Spec.Autoscaling.MaxReplicas)},
			"exposure":    map[string]any{"type": string(in.Spec.Exposure.Type)},
		},
	}}
	if err := f.tenants.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kubectl")); err != nil {
		return fmt.Errorf("applying an instance: %w", err)
	}
	return nil
}

// applicants is how many apply instances at once.
const applicants = 16

// applyAll applies instances from one number to before another, and returns after how
// long all that belongs to them exists.
func (f *fleet) applyAll(ctx context.Context, from, to int) (time.Duration, error) {
	expected, err := expectedObjects()
	if err != nil {
		return 0, err
	}
	return f.timed(ctx, (to-from)*len(expected), func(ctx context.Context) error {
		return concurrently(ctx, applicants, from, to, f.applyInstance)
	})
}

// objectsOf are what the operator gives an instance, which a client may apply too.
func objectsOf(in *v1alpha1.SocialOpsInstance) ([]desired.Object, error) {
	s := &desired.Settings{Image: fleetImage, DefaultHost: fleetHost}
	password := "0123456789abcdef0123456789abcdef0123456789a"
	replicas := int32(2)
	return desired.Objects(in, s, &desired.Facts{
		RuntimeSecret: map[string][]byte{
			desired.KeyURL:      []byte("postgres://so_01234567_0123456789abcdef0123456789abcdef:" + password + "@postgres.example.com:5432/socialops"),
			desired.KeyPassword: []byte(password), desired.KeyInstanceKey: make([]byte, 32),
		},
		KeySecret: &desired.KeySecret{Key: "sk_" + password}, Replicas: &replicas,
	})
}

func expectedObjects() ([]desired.Object, error) {
	in := newInstance(0)
	in.UID = "0"
	return objectsOf(in)
}

// timed does work, and returns after how long so many owned objects were added to the
// cluster, as its watches tell.
func (f *fleet) timed(ctx context.Context, objects int, work func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	added := make(chan types.UID, 1024)
	var watches sync.WaitGroup
	defer func() { cancel(nil); watches.Wait() }()
	before, err := f.watchOwned(ctx, &watches, added, cancel)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	worked := make(chan error, 1)
	go func() { worked <- work(ctx) }()
	seen := map[types.UID]bool{}
	for len(seen) < objects {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d objects came: %w", len(seen), objects, context.Cause(ctx))
		case err := <-worked:
			if err != nil {
				return 0, err
			}
			worked = nil
		case uid := <-added:
			if !before[uid] {
				seen[uid] = true
			}
		}
	}
	took := time.Since(start)
	if worked != nil {
		return took, <-worked
	}
	return took, nil
}

// watchOwned sends what is added of the kinds that instances own, and returns what there was.
func (f *fleet) watchOwned(ctx context.Context, watches *sync.WaitGroup, added chan<- types.UID, fail context.CancelCauseFunc) (map[types.UID]bool, error) {
	before := map[types.UID]bool{}
	owned := client.MatchingLabels{desired.LabelManagedBy: desired.ManagedBy}
	for _, kind := range desired.Kinds() {
		if kind.Kind == "HTTPRoute" {
			continue
		}
		list := metadataList(kind)
		if err := f.tenants.List(ctx, list, owned); err != nil {
			return nil, fmt.Errorf("listing every %s: %w", kind.Kind, err)
		}
		for i := range list.Items {
			before[list.Items[i].UID] = true
		}
		w, err := f.tenants.Watch(ctx, metadataList(kind), owned)
		if err != nil {
			return nil, fmt.Errorf("watching every %s: %w", kind.Kind, err)
		}
		watches.Go(func() {
			defer w.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case event, open := <-w.ResultChan():
					if !open {
						fail(errors.New("a watch ended"))
						return
					}
					if o, is := event.Object.(*metav1.PartialObjectMetadata); is && event.Type == watch.Added {
						select {
						case added <- o.UID:
						case <-ctx.Done():
							return
						}
					}
				}
			}
		})
	}
	return before, nil
}

func metadataList(kind schema.GroupVersionKind) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}

// awaitReady waits until so many instances are. It asks again and again, as a watch
// that begins with a thousand objects may be ended for being slow.
func (f *fleet) awaitReady(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(ctx, quietLimit)
	defer cancel()
	for {
		var list v1alpha1.SocialOpsInstanceList
		if err := f.tenants.List(ctx, &list); err != nil {
			return fmt.Errorf("listing instances: %w", err)
		}
		ready, why := 0, ""
		for i := range list.Items {
			conditions := list.Items[i].Status.Conditions
			if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
				ready++
			} else if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
				why = c.Reason + ": " + c.Message
			}
		}
		if ready >= count {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d instances are ready (another: %s): %w", ready, count, why, context.Cause(ctx))
		case <-time.After(time.Second):
		}
	}
}

// concurrently does something with each number, so many at a time.
func concurrently(ctx context.Context, workers, from, to int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for n := range next {
				if err := do(ctx, n); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n := from; n < to && ctx.Err() == nil; n++ {
		select {
		case next <- n:
		case <-ctx.Done():
		}
	}
	close(next)
	running.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
