package dev

import (
	"context"
	"sync"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/dev/manifests"
	"github.com/open4x/socialops/runtime/project"
)

// projectedWithin bounds how long a change waits until its conditions are known.
// Past it, the answer has those of before.
const projectedWithin = 3 * time.Second

// bindings keeps the console's ChannelBindings in the folder of manifests, as an
// API server keeps them in a cluster.
type bindings struct {
	projector *projection
	writing   sync.Mutex // one change of the folder at a time
}

// List lists an instance's bindings that are in force, with what became of them.
func (f *bindings) List(_ context.Context, namespace, instance string) ([]v1alpha1.ChannelBinding, error) {
	set, results := f.projector.inForce()
	var list []v1alpha1.ChannelBinding
	for _, b := range set.Bindings {
		if b.Namespace == namespace && b.Spec.InstanceRef.Name == instance {
			list = append(list, withStatus(b, results))
		}
	}
	return list, nil
}

// Create writes a file with the binding.
func (f *bindings) Create(ctx context.Context, b *v1alpha1.ChannelBinding) error {
	err := f.write(ctx, func(set *manifests.Set) error { return manifests.AddBinding(ctx, f.projector.dir, set, b) })
	if err != nil {
		return err
	}
	*b = f.projected(ctx, b)
	return nil
}

// Update changes the binding where it stands.
func (f *bindings) Update(ctx context.Context, namespace, name string, change func(*v1alpha1.ChannelBindingSpec), by string) (*v1alpha1.ChannelBinding, error) {
	var b *v1alpha1.ChannelBinding
	err := f.write(ctx, func(set *manifests.Set) (err error) {
		b, err = manifests.ChangeBinding(ctx, f.projector.dir, set, namespace, name, by, change)
		return err //nolint:wrapcheck // says what was wrong
	})
	if err != nil {
		return nil, err
	}
	now := f.projected(ctx, b)
	return &now, nil
}

func (f *bindings) write(ctx context.Context, change func(*manifests.Set) error) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller is gone
	}
	set, _ := f.projector.inForce()
	return change(set)
}

// projected waits until the folder is projected, and gives the binding as it is in force then.
func (f *bindings) projected(ctx context.Context, b *v1alpha1.ChannelBinding) v1alpha1.ChannelBinding {
	ctx, cancel := context.WithTimeout(ctx, projectedWithin)
	defer cancel()
	f.projector.refresh(ctx)
	set, results := f.projector.inForce()
	if now := set.Binding(b.Namespace, b.Name); now != nil {
		b = now
	}
	return withStatus(b, results)
}

// withStatus is a copy of the binding with the status that an operator would write.
func withStatus(b *v1alpha1.ChannelBinding, results project.Results) v1alpha1.ChannelBinding {
	with := *b.DeepCopy()
	r, ok := results.Bindings[project.Name{Namespace: b.Namespace, Name: b.Name}]
	if !ok {
		return with
	}
	with.Status = v1alpha1.ChannelBindingStatus{
		Conditions: r.Conditions, ChannelID: r.ID.String(), Account: r.Account, WebhookURL: r.WebhookURL,
	}
	for _, c := range r.Conditions {
		with.Status.ObservedGeneration = max(with.Status.ObservedGeneration, c.ObservedGeneration)
	}
	return with
}
