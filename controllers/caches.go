package controllers

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// caches are what the operator knows of the cluster without asking. Secrets are in
// three of them, each with its own label, because a cache holds the Secrets of one
// selector; their content is in none.
type caches struct {
	main     cache.Cache // the manager's: instances, bindings, and what instances own
	routes   cache.Cache // HTTPRoutes that instances own, once the Gateway API is installed
	accounts cache.Cache // metadata of Secrets that hold connected accounts
	keys     cache.Cache // metadata of Secrets labelled as API keys
}

// Kinds that get special treatment.
var (
	kindSecret     = corev1.SchemeGroupVersion.WithKind("Secret")
	kindDeployment = appsv1.SchemeGroupVersion.WithKind("Deployment")
	kindHPA        = autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler")
	kindHTTPRoute  = schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "HTTPRoute"}
)

func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1.Install} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("making the scheme: %w", err)
		}
	}
	return s, nil
}

// cachedAs is an empty object of the type that a kind is cached as: metadata only,
// but for kinds of which the operator has to know more.
func cachedAs(gvk schema.GroupVersionKind) client.Object {
	switch gvk {
	case kindDeployment:
		return &appsv1.Deployment{}
	case kindHPA:
		return &autoscalingv2.HorizontalPodAutoscaler{}
	case kindHTTPRoute:
		return &gatewayv1.HTTPRoute{}
	}
	return metadataOf(gvk)
}

func metadataOf(gvk schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	return o
}

// ownedSelector selects what the operator made.
var ownedSelector = labels.SelectorFromSet(labels.Set{desired.LabelManagedBy: desired.ManagedBy})

// mainCache is how the manager's cache is set up. A kind that is not named here is
// not read through it, so that no mistake caches every Secret of a cluster.
func mainCache(namespaces []string) cache.Options {
	o := cache.Options{
		DefaultNamespaces: inNamespaces(namespaces), DefaultTransform: slim, ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{},
	}
	for _, gvk := range desired.Kinds() {
		if gvk != kindHTTPRoute {
			o.ByObject[cachedAs(gvk)] = cache.ByObject{Label: ownedSelector}
		}
	}
	return o
}

// newCaches makes those beside the manager's, and has the manager run them.
func newCaches(mgr ctrl.Manager, namespaces []string) (*caches, error) {
	c := &caches{main: mgr.GetCache()}
	for _, beside := range []struct {
		cache    *cache.Cache
		selector labels.Selector
	}{
		{&c.routes, ownedSelector},
		{&c.accounts, labelled(v1alpha1.LabelConnectedAccount)},
		{&c.keys, labelled(v1alpha1.LabelAPIKey)},
	} {
		made, err := cache.New(mgr.GetConfig(), cache.Options{
			HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
			DefaultNamespaces: inNamespaces(namespaces), DefaultLabelSelector: beside.selector,
			DefaultTransform: slim, ReaderFailOnMissingInformer: true,
		})
		if err != nil {
			return nil, fmt.Errorf("making a cache: %w", err)
		}
		if err := mgr.Add(standby{made}); err != nil {
			return nil, fmt.Errorf("adding a cache: %w", err)
		}
		*beside.cache = made
	}
	return c, nil
}

// standby is a cache that the manager fills before it leads, as it does its own.
type standby struct{ cache.Cache }

// GetCache is what the manager tells a cache by.
func (s standby) GetCache() cache.Cache { return s.Cache }

func labelled(key string) labels.Selector {
	r, err := labels.NewRequirement(key, selection.Exists, nil)
	if err != nil {
		panic(err) // the key is a constant
	}
	return labels.NewSelector().Add(*r)
}

func inNamespaces(names []string) map[string]cache.Config {
	if len(names) == 0 {
		return nil
	}
	m := make(map[string]cache.Config, len(names))
	for _, n := range names {
		m[n] = cache.Config{}
	}
	return m
}

// slim drops what no decision looks at, before an object is cached: of a thousand
// instances that is most of the operator's memory.
func slim(in any) (any, error) {
	o, ok := in.(client.Object)
	if !ok {
		return in, nil // a tombstone
	}
	if o.GetManagedFields() != nil {
		o.SetManagedFields(nil)
	}
	switch o := o.(type) {
	case *appsv1.Deployment:
		slimDeployment(o)
	case *autoscalingv2.HorizontalPodAutoscaler:
		o.Status = autoscalingv2.HorizontalPodAutoscalerStatus{}
	case *gatewayv1.HTTPRoute:
		o.Spec = gatewayv1.HTTPRouteSpec{}
	}
	return in, nil
}

// slimDeployment keeps the number of pods, their image, and how they are. Of the
// messages of conditions only that of a failure is shown to anybody.
func slimDeployment(d *appsv1.Deployment) {
	kept := appsv1.DeploymentSpec{Replicas: d.Spec.Replicas}
	if c := d.Spec.Template.Spec.Containers; len(c) > 0 {
		kept.Template.Spec.Containers = []corev1.Container{{Image: c[0].Image}}
	}
	d.Spec = kept
	for i := range d.Status.Conditions {
		c := &d.Status.Conditions[i]
		c.LastUpdateTime = metav1.Time{}
		if c.Type != appsv1.DeploymentReplicaFailure {
			c.Message = ""
		}
	}
}
