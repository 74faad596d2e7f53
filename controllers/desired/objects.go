package desired

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Facts are what an instance's manifest can't tell.
type Facts struct {
	// RuntimeSecret is the data of the Secret that its pods read: [KeyURL],
	// [KeyPassword] and [KeyInstanceKey].
	RuntimeSecret map[string][]byte
	// KeySecret is what the Secret with the generated API key is to hold; nil: the
	// manifest names keys.
	KeySecret *KeySecret
	// Replicas counts under autoscaling only: the number of pods to hand over to the
	// HorizontalPodAutoscaler, which is the live one as long as nobody else owns the
	// field; nil: leave the field to whoever owns it. A number below minReplicas is
	// raised to it, since an autoscaler never scales up from 0, where suspend left it.
	Replicas *int32
}

// String keeps Secrets out of logs by way of %v.
func (f Facts) String() string { return "facts" }

// GoString is String, for %#v.
func (f Facts) GoString() string { return f.String() }

// Object is an object that an instance should have.
type Object struct {
	GVK             schema.GroupVersionKind
	Namespace, Name string
	// Apply is what to apply; nil: what is there stays as it is, neither changed nor
	// deleted, because what it should be can't be had (see [Image]).
	Apply runtime.ApplyConfiguration
	// Hash is that of Apply: equal for equal content. Empty when Apply is nil.
	Hash string
}

// String names the object; its content may be a Secret's.
func (o Object) String() string { return fmt.Sprintf("%s %q", o.GVK.Kind, o.Namespace+"/"+o.Name) }

// GoString is String, for %#v.
func (o Object) GoString() string { return o.String() }

var (
	kindDeployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	kindHTTPRoute  = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
)

// Kinds are those that an instance may own, in the order of [Objects]. What it owns
// of them and isn't among its objects is to be deleted.
func Kinds() []schema.GroupVersionKind {
	core := schema.GroupVersion{Version: "v1"}
	networking := schema.GroupVersion{Group: "networking.k8s.io", Version: "v1"}
	return []schema.GroupVersionKind{
		core.WithKind("ServiceAccount"),
		core.WithKind("Secret"),
		core.WithKind("ConfigMap"),
		networking.WithKind("NetworkPolicy"),
		core.WithKind("Service"),
		kindDeployment,
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"},
		networking.WithKind("Ingress"),
		kindHTTPRoute,
	}
}

// Objects are what an instance should have, in the order in which they are to be
// applied: what pods need comes before the Deployment. An error means that facts or
// settings are incomplete, never that the manifest is wrong: see [Image] and
// [Exposure] for that.
func Objects(in *v1alpha1.SocialOpsInstance, s *Settings, f *Facts) ([]Object, error) {
	if err := f.check(in); err != nil {
		return nil, err
	}
	policy, err := networkPolicy(in, s)
	if err != nil {
		return nil, err
	}
	read, err := configHash(in, s, f)
	if err != nil {
		return nil, err
	}
	var list builder
	list.add(serviceAccount(in))
	list.add(runtimeSecret(in, f.RuntimeSecret))
	if f.KeySecret != nil {
		list.add(keySecret(in, f.KeySecret))
	}
	list.add(configMap(in, s))
	list.add(policy)
	list.add(service(in))
	if image, ok := podImage(in, s); ok {
		list.add(deployment(in, s, f, image, read))
	} else {
		list.leave(kindDeployment, in)
	}
	if protected(in) {
		list.add(disruptionBudget(in))
	}
	if autoscaled(in) && !in.Spec.Suspended() {
		list.add(autoscaler(in))
	}
	if route, problem := Exposure(in, s); problem == nil {
		switch route.Type {
		case v1alpha1.ExposureIngress:
			list.add(ingress(in, s, route))
		case v1alpha1.ExposureHTTPRoute:
			list.add(httpRoute(in, route))
		}
	}
	return list.objects, list.err
}

// check tells what the facts lack for an instance. Without it, what was forgotten
// would be deleted as no longer desired.
func (f *Facts) check(in *v1alpha1.SocialOpsInstance) error {
	for _, key := range []string{KeyURL, KeyPassword, KeyInstanceKey} {
		if len(f.RuntimeSecret[key]) == 0 {
			return fmt.Errorf("the objects of instance %s/%s: its runtime's Secret has no %q yet", in.Namespace, in.Name, key)
		}
	}
	if generated := len(in.Spec.APIKeys) == 0; generated != (f.KeySecret != nil) {
		return fmt.Errorf("the objects of instance %s/%s: an API key is generated exactly when its manifest names none", in.Namespace, in.Name)
	}
	return nil
}

// applyObject is what every apply configuration of an object has.
type applyObject interface {
	runtime.ApplyConfiguration
	GetAPIVersion() *string
	GetKind() *string
	GetNamespace() *string
	GetName() *string
}

// builder collects objects, and the first error.
type builder struct {
	objects []Object
	err     error
}

func (b *builder) add(a applyObject) {
	o := Object{GVK: schema.FromAPIVersionAndKind(*a.GetAPIVersion(), *a.GetKind()), Namespace: *a.GetNamespace(), Name: *a.GetName(), Apply: a}
	var err error
	if o.Hash, err = hash(a); err != nil && b.err == nil {
		b.err = fmt.Errorf("hashing the %v: %w", o, err)
	}
	b.objects = append(b.objects, o)
}

func (b *builder) leave(gvk schema.GroupVersionKind, in *v1alpha1.SocialOpsInstance) {
	b.objects = append(b.objects, Object{GVK: gvk, Namespace: in.Namespace, Name: in.Name})
}
