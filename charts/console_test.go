package charts

import (
	"slices"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/console/kube"
)

// consoles are the console's own objects among a case's.
func consoles(all []*unstructured.Unstructured) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(all), func(o *unstructured.Unstructured) bool {
		return o.GetLabels()["app.kubernetes.io/component"] != "console"
	})
}

// The console changes channels with the rights that the chart gives it, in every namespace that the operator watches,
// and has no others.
func TestTheConsolesRightsSuffice(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	own, watched := env.Namespace, env.NewNamespace(t)
	manifest := mustRun(t, helm, "template", release, chart, "--namespace", own, "--values", values(t)["console"], "--set", "watchNamespaces={"+watched+"}")
	for _, o := range consoles(objects(t, manifest)) {
		if kind := o.GetKind(); kind == "ServiceAccount" || kind == "Role" || kind == "RoleBinding" {
			env.Apply(t, o)
		}
	}
	user := kubetest.ServiceAccount(own, "socialops-console")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	env.AwaitAccess(t, user, watched, v1alpha1.GroupVersion.Group, "channelbindings", "patch", true)
	bindings, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	shop := &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: watched, GenerateName: "shop-"},
		Spec:       v1alpha1.ChannelBindingSpec{InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderGenericWebhook, ChannelName: "Shop"},
	}
	if err := bindings.Create(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if _, err := bindings.Update(t.Context(), watched, shop.Name, func(s *v1alpha1.ChannelBindingSpec) { s.Active = new(false) }, "alice"); err != nil {
		t.Error(err)
	}
	if list, err := bindings.List(t.Context(), watched, "support"); err != nil || len(list) != 1 || list[0].Spec.IsActive() {
		t.Errorf("%+v (%v)", list, err)
	}
	for _, not := range []struct{ namespace, group, resource, verb string }{
		{watched, "", "secrets", "get"},
		{own, "", "secrets", "list"},
		{own, v1alpha1.GroupVersion.Group, "channelbindings", "list"},
		{watched, v1alpha1.GroupVersion.Group, "channelbindings", "delete"},
		{watched, v1alpha1.GroupVersion.Group, "socialopsinstances", "patch"},
	} {
		env.AwaitAccess(t, user, not.namespace, not.group, not.resource, not.verb, false)
	}
}

// Who enables no console gets nothing of it, and no login for one.
func TestNoConsole(t *testing.T) {
	t.Parallel()
	all := objects(t, template(t, "--values", values(t)["existing-secret"]))
	for _, o := range consoles(all) {
		t.Errorf("there is %s", key(o))
	}
	for _, o := range all {
		if o.GetKind() != "Role" {
			continue
		}
		for _, r := range rules(t, o) {
			if slices.Contains(r.ResourceNames, "socialops-console") {
				t.Errorf("%s names the console's Secret", key(o))
			}
		}
	}
}

// Watching every namespace, the operator has a console that changes channels in all of them.
func TestAClusterWideConsole(t *testing.T) {
	t.Parallel()
	for _, o := range consoles(objects(t, template(t, "--values", values(t)["cluster-wide"]))) {
		if o.GetKind() != "ClusterRole" {
			continue
		}
		if got := rules(t, o); len(got) != 1 || !slices.Equal(got[0].Resources, []string{"channelbindings"}) {
			t.Errorf("%+v", got)
		}
		return
	}
	t.Error("it has no ClusterRole")
}

// The console reaches its database, the API server, the issuer where it is, and runtimes; Prometheus and people reach it.
func TestTheConsolesNetworkPolicy(t *testing.T) {
	t.Parallel()
	for _, o := range consoles(objects(t, template(t, "--values", values(t)["everything"]))) {
		if o.GetKind() != "NetworkPolicy" {
			continue
		}
		var p networkingv1.NetworkPolicy
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &p, true); err != nil {
			t.Fatal(err)
		}
		ports := func(all []networkingv1.NetworkPolicyPort) (out []string) {
			for _, p := range all {
				out = append(out, p.Port.String())
			}
			return out
		}
		var in, out [][]string
		for _, r := range p.Spec.Ingress {
			in = append(in, ports(r.Ports))
		}
		for _, r := range p.Spec.Egress {
			out = append(out, ports(r.Ports))
		}
		is := func(a, b [][]string) bool { return slices.EqualFunc(a, b, slices.Equal[[]string]) }
		if !is(in, [][]string{{"http"}, {"health"}}) || !is(out, [][]string{{"53", "53"}, {"5432", "6432"}, {"443", "6443"}, {"443", "8443", "4318"}, {"8080"}}) {
			t.Errorf("in by %v, out by %v", in, out)
		}
		if from := p.Spec.Ingress[0].From; len(from) != 0 {
			t.Errorf("only %v may open the page", from)
		}
		return
	}
	t.Error("there is no policy")
}
