package controllers

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
)

// sweepOnce puts out of force what went while nobody was looking: the operator didn't
// run, or let a deleted object go because the database was away.
func (p *platform) sweepOnce(ctx context.Context) error {
	swept, err := p.Projector.Sweep(ctx, p.watches, p.list)
	if swept.Ended > 0 {
		p.options.Log.InfoContext(ctx, "what was deleted meanwhile is out of force", "instances and channels", swept.Ended)
		p.accounts.look(ctx)
		p.bindings.look(ctx)
	}
	for _, name := range swept.Accounts {
		p.accounts.queue.look(types.NamespacedName(name))
	}
	if swept.Purging {
		p.purgeSoon()
	}
	return err //nolint:wrapcheck // says what it was doing
}

// watches tells of which namespaces the operator knows every object.
func (p *platform) watches(namespace string) bool {
	return len(p.options.WatchNamespaces) == 0 || slices.Contains(p.options.WatchNamespaces, namespace)
}

// list asks the API server, as a cache may lag behind, what there is.
func (p *platform) list(ctx context.Context) (project.Listed, error) {
	l := project.NewListed()
	for _, kind := range []struct {
		gvk     schema.GroupVersionKind
		into    map[project.Name]struct{}
		options []client.ListOption
	}{
		{v1alpha1.GroupVersion.WithKind(v1alpha1.KindSocialOpsInstance), l.Instances, nil},
		{v1alpha1.GroupVersion.WithKind(v1alpha1.KindChannelBinding), l.Bindings, nil},
		{kindSecret, l.Accounts, []client.ListOption{client.HasLabels{v1alpha1.LabelConnectedAccount}}},
	} {
		err := eachOf(ctx, p.live, kind.gvk, p.options.WatchNamespaces, func(o *metav1.PartialObjectMetadata) error {
			kind.into[project.Name{Namespace: o.Namespace, Name: o.Name}] = struct{}{}
			return nil
		}, kind.options...)
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

// pageSize bounds what one list brings.
const pageSize = 500

// eachOf reads the metadata of every object of a kind in the namespaces, none standing
// for all of them, from the API server itself.
func eachOf(ctx context.Context, reader client.Reader, gvk schema.GroupVersionKind, namespaces []string, do func(*metav1.PartialObjectMetadata) error, options ...client.ListOption) error {
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		for {
			all := append(slices.Clone(options), client.InNamespace(namespace), client.Limit(pageSize), client.Continue(page.Continue))
			if err := reader.List(ctx, page, all...); err != nil {
				return fmt.Errorf("listing %ss: %w", gvk.Kind, err)
			}
			for i := range page.Items {
				if err := do(&page.Items[i]); err != nil {
					return err
				}
			}
			if page.Continue == "" {
				break
			}
		}
	}
	return nil
}
