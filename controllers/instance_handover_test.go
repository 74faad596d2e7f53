package controllers

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

// scale does what the HorizontalPodAutoscaler's controller does.
func (o *operator) scale(name string, n int32) {
	o.t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: name}}
	s := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: n}}
	if err := o.Client.SubResource("scale").Update(o.t.Context(), d, client.WithSubResourceBody(s), client.FieldOwner("kube-controller-manager")); err != nil {
		o.t.Fatal(err)
	}
}

func replicas(d *appsv1.Deployment) int32 { return *d.Spec.Replicas }

// An autoscaler is never fought: it gets the number of pods as it is, and from then on
// it is its own.
func TestHandOver(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	fixed := func(in *v1alpha1.SocialOpsInstance) { in.Spec.Replicas = new(int32(3)) }
	auto := func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Autoscaling = v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}
	}
	deployment := &appsv1.Deployment{ObjectMeta: named("a")}
	o.Apply(t, o.instance("a", fixed))
	o.await("a", "Ready=True/Ready")
	if d := get(o, "a", deployment); replicas(d) != 3 || !ownsReplicas(d.ManagedFields) {
		t.Fatalf("%d pods to begin with", replicas(d))
	}

	o.Apply(t, o.instance("a", auto))
	d := kubetest.Await(t, o.Env, deployment, "is the autoscaler's", func(d *appsv1.Deployment) bool { return !ownsReplicas(d.ManagedFields) })
	if replicas(d) != 3 {
		t.Errorf("%d pods once handed over", replicas(d))
	}
	exists := func(*autoscalingv2.HorizontalPodAutoscaler) bool { return true }
	kubetest.Await(t, o.Env, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("a")}, "is there", exists)

	o.scale("a", 7)
	edit(o, "a", deployment, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "evil" }) // has it applied again
	d = kubetest.Await(t, o.Env, deployment, "is healed", func(d *appsv1.Deployment) bool { return d.Spec.Template.Spec.Containers[0].Image == testImage })
	if replicas(d) != 7 {
		t.Errorf("the autoscaler was set back to %d", replicas(d))
	}
	o.stop()
	o.scale("a", 5)
	o.start()
	o.settled()
	if d := get(o, "a", deployment); replicas(d) != 5 || ownsReplicas(d.ManagedFields) {
		t.Errorf("%d pods after a restart", replicas(d))
	}

	o.Apply(t, o.instance("a", auto, func(in *v1alpha1.SocialOpsInstance) { in.Spec.Suspend = new(true) }))
	o.await("a", "Ready=False/Suspended", "Stalled=absent", "Reconciling=absent")
	kubetest.Await(t, o.Env, deployment, "has no pods", func(d *appsv1.Deployment) bool { return replicas(d) == 0 })
	kubetest.AwaitGone(t, o.Env, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named("a")})
	kubetest.AwaitGone(t, o.Env, &policyv1.PodDisruptionBudget{ObjectMeta: named("a")})

	o.Apply(t, o.instance("a", auto)) // an autoscaler does nothing about no pods
	d = kubetest.Await(t, o.Env, deployment, "has pods again, that are the autoscaler's", func(d *appsv1.Deployment) bool { return replicas(d) > 0 && !ownsReplicas(d.ManagedFields) })
	if replicas(d) != 2 {
		t.Errorf("%d pods after a suspend", replicas(d))
	}
	o.await("a", "Ready=True/Ready")
	o.scale("a", 0) // somebody by hand: nothing else would ever start them
	kubetest.Await(t, o.Env, deployment, "has pods again", func(d *appsv1.Deployment) bool { return replicas(d) == 2 })

	o.scale("a", 4)
	o.Apply(t, o.instance("a", fixed))
	kubetest.Await(t, o.Env, deployment, "has as many pods as the manifest says", func(d *appsv1.Deployment) bool { return replicas(d) == 3 && ownsReplicas(d.ManagedFields) })
	o.scale("a", 8)
	kubetest.Await(t, o.Env, deployment, "is healed", func(d *appsv1.Deployment) bool { return replicas(d) == 3 })
	o.await("a", "Ready=True/Ready")
	o.quiet()
}
