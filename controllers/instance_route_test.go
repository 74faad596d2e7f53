package controllers

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/controllers/kubetest"
)

func TestExposed(t *testing.T) {
	t.Parallel()
	want := desired.Route{Type: v1alpha1.ExposureHTTPRoute, Host: "inbox.example.com", Gateway: v1alpha1.GatewayReference{Namespace: "infra", Name: "public"}}
	answer := func(conditions ...metav1.Condition) gatewayv1.RouteParentStatus {
		return gatewayv1.RouteParentStatus{Conditions: conditions}
	}
	accepted := func(status metav1.ConditionStatus, generation int64) metav1.Condition {
		return metav1.Condition{Type: "Accepted", Status: status, Reason: "NotAllowedByListeners", Message: "the namespace is not allowed", ObservedGeneration: generation}
	}
	resolved := func(status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: "ResolvedRefs", Status: status, Reason: "BackendNotFound", Message: "no Service"}
	}
	route := func(answers ...gatewayv1.RouteParentStatus) *gatewayv1.HTTPRoute {
		r := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
		r.Status.Parents = answers
		return r
	}
	for name, c := range map[string]struct {
		want   desired.Route
		route  *gatewayv1.HTTPRoute
		reason string
		says   string
	}{
		"not exposed":                {desired.Route{Type: v1alpha1.ExposureNone}, nil, "False NotExposed", "only the cluster"},
		"an Ingress":                 {desired.Route{Type: v1alpha1.ExposureIngress, Host: "a.example.com"}, nil, "True Exposed", "a.example.com"},
		"no route yet":               {want, nil, "False RouteNotAccepted", "infra/public has not answered"},
		"no answer yet":              {want, route(), "False RouteNotAccepted", "has not answered"},
		"accepted":                   {want, route(answer(accepted("True", 2), resolved("True"))), "True Exposed", "infra/public takes the route"},
		"accepted before it changed": {want, route(answer(accepted("True", 1))), "False RouteNotAccepted", "has not answered"},
		"refused":                    {want, route(answer(accepted("False", 2))), "False RouteNotAccepted", "NotAllowedByListeners: the namespace is not allowed"},
		"no such Service":            {want, route(answer(accepted("True", 2), resolved("False"))), "False RouteNotAccepted", "BackendNotFound"},
		"one of two takes it":        {want, route(answer(accepted("False", 2)), answer(accepted("True", 2))), "True Exposed", "takes the route"},
	} {
		got := exposed(c.want, c.route)
		if string(got.Status)+" "+got.Reason != c.reason || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A cluster may get the Gateway API later.
func TestGatewayAPIComesLater(t *testing.T) {
	t.Parallel()
	env := kubetest.NewServer(t, kubetest.Options{})
	o := newOperatorIn(t, env, granted())
	o.start()
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a", func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureHTTPRoute}
	}))
	o.await("a", "Ready=False/GatewayAPIMissing", "Exposed=False/GatewayAPIMissing", "PodsReady=True/PodsReady")
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	o.Apply(t, kubetest.LoadFiles(t, filepath.Join(strings.TrimSpace(string(module)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml"))...)
	o.clock.advance(time.Minute) // what was asked just now would not be asked again yet
	o.await("a", "Ready=False/RouteNotAccepted", "Reconciling=True/RouteNotAccepted")
	answer(o, "a", metav1.ConditionTrue)
	o.await("a", "Ready=True/Ready", "Exposed=True/Exposed")
	answer(o, "a", metav1.ConditionFalse)
	o.await("a", "Ready=False/RouteNotAccepted")
	if err := o.Client.Delete(t.Context(), get(o, "a", &gatewayv1.HTTPRoute{})); err != nil {
		t.Fatal(err)
	}
	kubetest.Await(t, o.Env, &gatewayv1.HTTPRoute{ObjectMeta: named("a")}, "is made anew", func(*gatewayv1.HTTPRoute) bool { return true })
	o.quiet()
}

// answer is a Gateway's.
func answer(o *operator, name string, status metav1.ConditionStatus) {
	o.t.Helper()
	route := get(o, name, &gatewayv1.HTTPRoute{})
	route.Status.Parents = []gatewayv1.RouteParentStatus{{
		ParentRef: route.Spec.ParentRefs[0], ControllerName: "example.com/gateway",
		Conditions: []metav1.Condition{{Type: "Accepted", Status: status, Reason: "Because", ObservedGeneration: route.Generation, LastTransitionTime: metav1.Now()}},
	}}
	if err := o.Client.Status().Update(o.t.Context(), route); err != nil {
		o.t.Fatal(err)
	}
}
