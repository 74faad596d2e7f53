package controllers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

// withEverything gives an instance an object of each kind but one of the routes.
func withEverything(in *v1alpha1.SocialOpsInstance) {
	in.Spec.Autoscaling = v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 5}
	in.Spec.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress}
}

// owned is an object of an instance "all", and an edit of what it should be.
type owned struct {
	object client.Object
	spoil  func(client.Object)
	spoilt func(client.Object) bool
}

func spoil[T client.Object](object T, spoil func(T), spoilt func(T) bool) owned {
	return owned{object, func(o client.Object) { spoil(o.(T)) }, func(o client.Object) bool { return spoilt(o.(T)) }}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func ownedObjects() []owned {
	return []owned{
		spoil(&corev1.ServiceAccount{ObjectMeta: named("all")},
			func(o *corev1.ServiceAccount) { o.AutomountServiceAccountToken = new(true) },
			func(o *corev1.ServiceAccount) bool { return *o.AutomountServiceAccountToken }),
		spoil(&corev1.Secret{ObjectMeta: named("all-runtime")},
			func(o *corev1.Secret) { o.Data["url"] = []byte("postgres://elsewhere") },
			func(o *corev1.Secret) bool { return string(o.Data["url"]) == "postgres://elsewhere" }),
		spoil(&corev1.Secret{ObjectMeta: named("all-api-key")},
			func(o *corev1.Secret) { o.Labels["app.kubernetes.io/instance"] = "x" },
			func(o *corev1.Secret) bool { return o.Labels["app.kubernetes.io/instance"] == "x" }),
		spoil(&corev1.ConfigMap{ObjectMeta: named("all")},
			func(o *corev1.ConfigMap) { o.Data["SOCIALOPS_ALIAS"] = "x" },
			func(o *corev1.ConfigMap) bool { return o.Data["SOCIALOPS_ALIAS"] == "x" }),
		spoil(&networkingv1.NetworkPolicy{ObjectMeta: named("all")},
			func(o *networkingv1.NetworkPolicy) { o.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}} },
			func(o *networkingv1.NetworkPolicy) bool { return len(o.Spec.Egress) == 1 }),
		spoil(&corev1.Service{ObjectMeta: named("all")},
			func(o *corev1.Service) { o.Spec.Selector["app.kubernetes.io/instance"] = "x" },
			func(o *corev1.Service) bool { return o.Spec.Selector["app.kubernetes.io/instance"] == "x" }),
		spoil(&appsv1.Deployment{ObjectMeta: named("all")},
			func(o *appsv1.Deployment) { o.Spec.Template.Spec.Containers[0].Image = "evil" },
			func(o *appsv1.Deployment) bool { return o.Spec.Template.Spec.Containers[0].Image == "evil" }),
		spoil(&policyv1.PodDisruptionBudget{ObjectMeta: named("all")},
			func(o *policyv1.PodDisruptionBudget) { o.Spec.MaxUnavailable = new(intstr.FromString("100%")) },
			func(o *policyv1.PodDisruptionBudget) bool { return o.Spec.MaxUnavailable.StrVal == "100%" }),
		spoil(&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("all")},
			func(o *autoscalingv2.HorizontalPodAutoscaler) { o.Spec.MaxReplicas = 99 },
			func(o *autoscalingv2.HorizontalPodAutoscaler) bool { return o.Spec.MaxReplicas == 99 }),
		spoil(&networkingv1.Ingress{ObjectMeta: named("all")},
			func(o *networkingv1.Ingress) { o.Spec.Rules[0].Host = "evil.example.org" },
			func(o *networkingv1.Ingress) bool { return o.Spec.Rules[0].Host == "evil.example.org" }),
	}
}

func (c owned) String() string {
	return strings.TrimPrefix(fmt.Sprintf("%T", c.object), "*") + " " + c.object.GetName()
}

// Whatever somebody does to an object of an instance, it comes back.
func TestOwnedObjectsHeal(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("all", withEverything))
	o.await("all", "Ready=True/Ready")
	mine := func(c client.Object) bool {
		return metav1.GetControllerOf(c) != nil && c.GetLabels()["app.kubernetes.io/managed-by"] == "socialops-operator" && c.GetDeletionTimestamp() == nil
	}
	for _, c := range ownedObjects() {
		name := c.object.GetName()
		before := get(o, name, c.object).GetUID()
		edit(o, name, c.object, c.spoil)
		kubetest.Await(t, o.Env, c.object, "is as it was before the edit", func(now client.Object) bool { return !c.spoilt(now) })
		edit(o, name, c.object, func(now client.Object) { now.SetLabels(nil) })
		kubetest.Await(t, o.Env, c.object, "has its labels again", mine)
		edit(o, name, c.object, func(now client.Object) { now.SetOwnerReferences(nil) })
		kubetest.Await(t, o.Env, c.object, "is owned again", func(now client.Object) bool { return mine(now) && now.GetUID() == before })
		if err := o.Client.Delete(t.Context(), c.object); err != nil {
			t.Fatal(err)
		}
		kubetest.Await(t, o.Env, c.object, "is made anew", func(now client.Object) bool { return mine(now) && now.GetUID() != before && !c.spoilt(now) })
	}
	o.await("all", "Ready=True/Ready")
	o.settled()
	o.quiet()
}

// An object of an instance's name that is not its is refused, and nothing is made that
// would rest on it.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	service := corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}
	labels := map[string]string{"app": "theirs"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "theirs"}}}}
	for kind, c := range map[string]struct {
		object    client.Object
		condition string
		missing   []client.Object // that rest on it
	}{
		"ServiceAccount": {&corev1.ServiceAccount{ObjectMeta: named("all")}, "PodsReady", []client.Object{&appsv1.Deployment{ObjectMeta: named("all")}}},
		"Secret":         {&corev1.Secret{ObjectMeta: named("all-runtime"), StringData: map[string]string{"password": "a-password-of-theirs"}}, "PodsReady", []client.Object{&appsv1.Deployment{ObjectMeta: named("all")}, &corev1.ConfigMap{ObjectMeta: named("all")}}},
		"key Secret":     {&corev1.Secret{ObjectMeta: named("all-api-key")}, "KeysReady", nil},
		"ConfigMap":      {&corev1.ConfigMap{ObjectMeta: named("all")}, "PodsReady", []client.Object{&appsv1.Deployment{ObjectMeta: named("all")}}},
		"NetworkPolicy":  {&networkingv1.NetworkPolicy{ObjectMeta: named("all")}, "PodsReady", []client.Object{&appsv1.Deployment{ObjectMeta: named("all")}}},
		"Service":        {&corev1.Service{ObjectMeta: named("all"), Spec: service}, "Exposed", []client.Object{&networkingv1.Ingress{ObjectMeta: named("all")}}},
		"Deployment": {
			&appsv1.Deployment{ObjectMeta: named("all"), Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template}}, "PodsReady",
			[]client.Object{&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("all")}, &policyv1.PodDisruptionBudget{ObjectMeta: named("all")}},
		},
		"PodDisruptionBudget": {&policyv1.PodDisruptionBudget{ObjectMeta: named("all")}, "PodsReady", nil},
		"HorizontalPodAutoscaler": {&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("all"), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MaxReplicas: 9, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "theirs"},
		}}, "PodsReady", nil},
		"Ingress": {&networkingv1.Ingress{ObjectMeta: named("all"), Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "theirs", Port: networkingv1.ServiceBackendPort{Number: 1}},
		}}}, "Exposed", nil},
		"another's": {&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "all", OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "helm.example.com/v1", Kind: "Release", Name: "all", UID: "x", Controller: new(true),
		}}}}, "PodsReady", nil},
		"labelled as ours": {&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "all", Labels: map[string]string{
			"app.kubernetes.io/managed-by": "socialops-operator", "socialops.dev/instance": "all",
		}}}, "PodsReady", nil},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := startOperator(t)
			o.RunDeployments(t, nil)
			c.object.SetNamespace(o.Namespace)
			if err := o.Client.Create(t.Context(), c.object); err != nil {
				t.Fatal(err)
			}
			o.Apply(t, o.instance("all", withEverything))
			in := o.await("all", "Ready=False/ForeignObject", "Stalled=True/ForeignObject", c.condition+"=False/ForeignObject")
			if i := slices.IndexFunc(in.Status.Conditions, func(c metav1.Condition) bool { return c.Type == "Ready" }); !strings.Contains(in.Status.Conditions[i].Message, `"`+c.object.GetName()+`" that is not this instance's`) {
				t.Errorf("the message: %s", in.Status.Conditions[i].Message)
			}
			version := c.object.GetResourceVersion()
			managed := c.object.GetManagedFields()
			if get(o, c.object.GetName(), c.object); c.object.GetResourceVersion() != version && !cmp.Equal(managed, c.object.GetManagedFields()) {
				for _, f := range c.object.GetManagedFields() {
					if strings.HasPrefix(f.Manager, "socialops-operator") {
						t.Errorf("it was touched by %s", f.Manager)
					}
				}
			}
			for _, m := range c.missing {
				m.SetNamespace(o.Namespace)
				kubetest.AwaitGone(t, o.Env, m)
			}
			o.awaitEvent("all", "Warning ForeignObject: ")
			if err := o.Client.Delete(t.Context(), c.object); err != nil {
				t.Fatal(err)
			}
			o.await("all", "Ready=True/Ready", "Stalled=absent")
			o.quiet()
		})
	}
}

// A new instance of the same name needs no garbage collector to have gone before it.
func TestObjectsOfAFormerInstance(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("all", withEverything))
	first := o.await("all", "Ready=True/Ready")
	if err := o.Client.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	kubetest.AwaitGone(t, o.Env, first)
	o.Apply(t, o.instance("all", withEverything))
	second := o.await("all", "Ready=True/Ready")
	for _, c := range ownedObjects() {
		if ref := metav1.GetControllerOf(get(o, c.object.GetName(), c.object)); ref == nil || ref.UID != second.UID {
			t.Errorf("%v belongs to %v", c, ref)
		}
	}
	if second.UID == first.UID {
		t.Error("it is the same instance")
	}
	o.quiet()
}

// What is no longer wanted goes; what came in its place meanwhile stays.
func TestPrune(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	route := func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureHTTPRoute}
	}
	o.Apply(t, o.instance("all", withEverything))
	o.await("all", "Ready=True/Ready")
	o.Apply(t, secretNamed("mine"))
	edit(o, "mine", &corev1.Secret{}, func(s *corev1.Secret) { s.Data = map[string][]byte{"key": []byte("sk_" + strings.Repeat("a", 40))} })
	o.Apply(t, o.instance("all", route, func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.APIKeys = []v1alpha1.APIKey{{Name: "mine", SecretRef: v1alpha1.SecretKeyReference{Name: "mine"}}}
	}))
	for _, gone := range []client.Object{
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("all")}, &policyv1.PodDisruptionBudget{ObjectMeta: named("all")},
		&networkingv1.Ingress{ObjectMeta: named("all")}, &corev1.Secret{ObjectMeta: named("all-api-key")},
	} {
		kubetest.AwaitGone(t, o.Env, gone)
	}
	get(o, "all", &gatewayv1.HTTPRoute{})
	in := o.await("all", "Ready=False/RouteNotAccepted", "KeysReady=True/KeysReady")
	if in.Status.KeySecretName != "" {
		t.Errorf("status.keySecretName is %q", in.Status.KeySecretName)
	}
	if got := o.query("SELECT string_agg(k.name, ' ') FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1", o.alias("all")); got != "mine" {
		t.Errorf("keys in Postgres: %s", got)
	}
	o.Apply(t, o.instance("all"))
	kubetest.AwaitGone(t, o.Env, &gatewayv1.HTTPRoute{ObjectMeta: named("all")})
	o.await("all", "Ready=True/Ready", "Exposed=False/NotExposed")
	o.quiet()
}

func TestRemoveSparesWhatTookTheName(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	a := applier{client: env.Client, live: env.Client}
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace, Name: "a"}}
	if err := env.Client.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	old := c.DeepCopy()
	if err := env.Client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.ResourceVersion, c.UID = "", ""
	if err := env.Client.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := a.remove(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
		t.Errorf("the one that took its name: %v", err)
	}
	if err := a.remove(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := a.remove(t.Context(), c); err != nil {
		t.Errorf("what is gone already: %v", err)
	}
}
