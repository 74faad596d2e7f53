package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// found is what the caches have of what an instance owns.
type found struct {
	owned  []client.Object
	routes routesState
}

// object is an owned object, nil when the caches have none.
func (f *found) object(kind, name string) client.Object {
	for _, o := range f.owned {
		if o.GetName() == name && o.GetObjectKind().GroupVersionKind().Kind == kind {
			return o
		}
	}
	return nil
}

func (f *found) deployment(in *v1alpha1.SocialOpsInstance) *appsv1.Deployment {
	d, _ := f.object(kindDeployment.Kind, in.Name).(*appsv1.Deployment)
	return d
}

func (f *found) route(in *v1alpha1.SocialOpsInstance) *gatewayv1.HTTPRoute {
	route, _ := f.object(kindHTTPRoute.Kind, in.Name).(*gatewayv1.HTTPRoute)
	return route
}

// gather reads the caches. It returns nil when there is no such instance.
func (r *instanceReconciler) gather(ctx context.Context, name types.NamespacedName) (*pass, error) {
	in := &v1alpha1.SocialOpsInstance{}
	switch err := r.client.Get(ctx, name, in); {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, fmt.Errorf("reading the instance: %w", err)
	}
	p := &pass{name: name, instance: in, memory: r.memory.of(name, in.UID)}
	p.memory.alias = in.Spec.Alias
	if s := p.memory.status; s != nil && older(in.ResourceVersion, p.memory.version) {
		// The cache has yet to see what was written last.
		in.Status, in.ResourceVersion = *s.DeepCopy(), p.memory.version
	} else {
		p.memory.status = nil
	}
	var err error
	if p.cluster.routes, err = r.routes.look(ctx); err != nil {
		return nil, err
	}
	for _, gvk := range desired.Kinds() {
		if gvk == kindHTTPRoute && p.cluster.routes != routesKnown {
			continue
		}
		list := listOf(gvk)
		from := client.Reader(r.client)
		if gvk == kindHTTPRoute {
			from = r.caches.routes
		}
		if err := from.List(ctx, list, client.InNamespace(name.Namespace), client.MatchingFields{indexOwner: string(in.UID)}); err != nil {
			return nil, fmt.Errorf("reading the instance's %ss: %w", gvk.Kind, err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			if o, ok := o.(client.Object); ok {
				o.GetObjectKind().SetGroupVersionKind(gvk)
				p.cluster.owned = append(p.cluster.owned, o)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading the instance's %ss: %w", gvk.Kind, err)
		}
	}
	return p, nil
}

func listOf(gvk schema.GroupVersionKind) client.ObjectList {
	switch gvk {
	case kindDeployment:
		return &appsv1.DeploymentList{}
	case kindHPA:
		return &autoscalingv2.HorizontalPodAutoscalerList{}
	case kindHTTPRoute:
		return &gatewayv1.HTTPRouteList{}
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	return list
}

// channels counts an instance's active channels.
func (r *instanceReconciler) channels(ctx context.Context, in *v1alpha1.SocialOpsInstance) (int32, error) {
	var bindings v1alpha1.ChannelBindingList
	err := r.client.List(ctx, &bindings, client.InNamespace(in.Namespace), client.MatchingFields{indexBindingInstance: in.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return 0, fmt.Errorf("counting the channels: %w", err)
	}
	n := int32(0)
	for i := range bindings.Items {
		if counts(&bindings.Items[i]) {
			n++
		}
	}
	return n, nil
}
