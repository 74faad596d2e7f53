package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
)

func TestInstanceBecomesReady(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("support"))
	in := o.await("support", "Ready=True/Ready", "AliasClaimed=True/AliasClaimed", "DatabaseReady=True/DatabaseReady",
		"KeysReady=True/KeysReady", "PodsReady=True/PodsReady", "Exposed=False/NotExposed", "Reconciling=absent", "Stalled=absent")
	want := v1alpha1.SocialOpsInstanceStatus{
		Conditions: in.Status.Conditions, ObservedGeneration: 1, URL: "http://support." + o.Namespace + ".svc/v1/apps/socialops/" + o.alias("support"),
		KeySecretName: "support-api-key", Channels: new(int32(0)), Image: testImage, Replicas: new(int32(1)), ReadyReplicas: new(int32(1)),
		Selector: "app.kubernetes.io/component=runtime,app.kubernetes.io/instance=support,app.kubernetes.io/name=socialops",
	}
	if diff := cmp.Diff(want, in.Status); diff != "" {
		t.Error(diff)
	}
	runtime, key := get(o, "support-runtime", &corev1.Secret{}), get(o, "support-api-key", &corev1.Secret{})
	if len(runtime.Data["url"]) == 0 || len(runtime.Data["password"]) < 16 || len(runtime.Data["instance-key"]) != 32 {
		t.Errorf("what pods read: %d, %d and %d bytes", len(runtime.Data["url"]), len(runtime.Data["password"]), len(runtime.Data["instance-key"]))
	}
	if !project.ValidKey(string(key.Data["key"])) {
		t.Error("the API key is none")
	}
	if got := o.query("SELECT count(*) FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1 AND k.hash = sha256($2)", o.alias("support"), key.Data["key"]); got != "1" {
		t.Errorf("%s keys in Postgres have the Secret's value", got)
	}
	o.awaitEvent("support", "Normal Ready: the inbox takes events and requests")
	o.awaitEvent("support", "Normal ObjectsChanged: created ServiceAccount support, Secret support-runtime, Secret support-api-key, ConfigMap support, NetworkPolicy support, Service support, Deployment support")
	o.quiet()
}

// What is at rest costs nothing, and a restart changes nothing.
func TestInstanceAtRest(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("support"), o.instance("sales", func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Autoscaling = v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 5}
		in.Spec.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress}
	}))
	o.await("support", "Ready=True/Ready")
	o.await("sales", "Ready=True/Ready")
	o.settled()
	versions := o.versions()

	m := o.mark()
	edit(o, "support", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Annotations = map[string]string{"a": "b"} })
	edit(o, "support", &appsv1.Deployment{}, func(d *appsv1.Deployment) { d.Status.Conditions = nil }) // no status subresource: nothing
	o.settled()
	if w := o.writes(m); len(w) > 0 {
		t.Errorf("at rest it wrote %v", w)
	}
	o.stop()
	o.start()
	o.settled()
	delete(versions, "SocialOpsInstance/support") // annotated above
	after := o.versions()
	delete(after, "SocialOpsInstance/support")
	if diff := cmp.Diff(versions, after); diff != "" {
		t.Errorf("a restart changed objects: %s", diff)
	}
	o.quiet()
}
