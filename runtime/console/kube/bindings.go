// Package kube keeps the console's ChannelBindings where a cluster keeps them: in its
// API server, asked as the console's own ServiceAccount. It needs the verbs get, list,
// create and patch on channelbindings, and no other.
package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
)

const (
	// FieldManager owns the fields of what the console makes and changes.
	FieldManager = "socialops-console"

	callTimeout = 10 * time.Second
	// tries is how often a change is made anew when somebody else was faster.
	tries = 5
)

// Bindings asks an API server each time: its watch cache answers lists, so that
// another cache here would only be older.
type Bindings struct{ api client.Client }

var _ console.Bindings = (*Bindings)(nil)

// New makes a client. It asks nobody yet: an API server that is away is told of by each call.
func New(config *rest.Config) (*Bindings, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("making the scheme: %w", err)
	}
	// Told what there is, the client needs no discovery.
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion})
	mapper.Add(v1alpha1.GroupVersion.WithKind(v1alpha1.KindChannelBinding), meta.RESTScopeNamespace)
	config = rest.CopyConfig(config)
	config.Timeout = callTimeout
	config.QPS, config.Burst = 50, 100 // people's clicks, not a controller's loops
	rest.AddUserAgent(config, FieldManager)
	api, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("making a client of the Kubernetes API server: %w", err)
	}
	return &Bindings{api: api}, nil
}

// List implements [console.Bindings].
func (b *Bindings) List(ctx context.Context, namespace, instance string) ([]v1alpha1.ChannelBinding, error) {
	var all v1alpha1.ChannelBindingList
	if err := b.api.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return nil, explain(err, "list", namespace, "")
	}
	mine := slices.DeleteFunc(all.Items, func(c v1alpha1.ChannelBinding) bool {
		return c.Spec.InstanceRef.Name != instance || c.DeletionTimestamp != nil
	})
	slices.SortFunc(mine, func(a, b v1alpha1.ChannelBinding) int { return cmp.Compare(a.Name, b.Name) })
	return mine, nil
}

// Create implements [console.Bindings].
func (b *Bindings) Create(ctx context.Context, c *v1alpha1.ChannelBinding) error {
	if err := b.api.Create(ctx, c, client.FieldOwner(FieldManager)); err != nil {
		return explain(err, "create", c.Namespace, c.Name)
	}
	return nil
}

// Update implements [console.Bindings]. Only what changes is sent, and only if the
// object is still as it was read.
func (b *Bindings) Update(ctx context.Context, namespace, name string, change func(*v1alpha1.ChannelBindingSpec), by string) (*v1alpha1.ChannelBinding, error) {
	for try := 1; ; try++ {
		c := &v1alpha1.ChannelBinding{}
		if err := b.api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, c); err != nil {
			return nil, explain(err, "get", namespace, name)
		}
		if c.DeletionTimestamp != nil {
			return nil, inbox.Errorf(inbox.CodeConflict, "the ChannelBinding %q is being deleted", name)
		}
		was := c.DeepCopy()
		change(&c.Spec)
		if equality.Semantic.DeepEqual(was.Spec, c.Spec) {
			return c, nil
		}
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[v1alpha1.AnnotationChangedBy] = by
		err := b.api.Patch(ctx, c, client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{}), client.FieldOwner(FieldManager))
		switch {
		case err == nil:
			return c, nil
		case !apierrors.IsConflict(err) || try == tries:
			return nil, explain(err, "patch", namespace, name)
		}
	}
}
