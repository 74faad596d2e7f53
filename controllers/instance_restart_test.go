package controllers

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

// What somebody does while no operator runs is taken up when one does: edits and
// deletions of an instance's objects are undone, changes of its manifest are made.
func TestEditsWhileTheOperatorIsDown(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("all", withEverything))
	o.await("all", "Ready=True/Ready")
	o.settled()

	o.stop()
	uids := map[string]string{}
	for _, c := range ownedObjects() {
		edit(o, c.object.GetName(), c.object, c.spoil)
		uids[c.String()] = string(c.object.GetUID())
	}
	o.start()
	for _, c := range ownedObjects() {
		kubetest.Await(t, o.Env, c.object, "is as it was before the edit", func(now client.Object) bool {
			return !c.spoilt(now) && string(now.GetUID()) == uids[c.String()]
		})
	}
	o.await("all", "Ready=True/Ready")
	o.settled()

	o.stop()
	for _, c := range ownedObjects() {
		if err := o.Client.Delete(t.Context(), get(o, c.object.GetName(), c.object)); err != nil {
			t.Fatal(err)
		}
	}
	o.start()
	for _, c := range ownedObjects() {
		kubetest.Await(t, o.Env, c.object, "is made anew", func(now client.Object) bool {
			return metav1.GetControllerOf(now) != nil && string(now.GetUID()) != uids[c.String()]
		})
	}
	o.await("all", "Ready=True/Ready")
	o.settled()

	o.stop()
	key := string(get(o, "all-api-key", &corev1.Secret{}).Data["key"])
	in := edit(o, "all", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) {
		metav1.SetMetaDataAnnotation(&in.ObjectMeta, v1alpha1.AnnotationRotateKeys, "1")
		in.Spec.Pod = &v1alpha1.PodSettings{Env: []v1alpha1.EnvVar{{Name: "HTTPS_PROXY", Value: new("http://proxy")}}}
		in.Spec.Billing.Account = "acme"
	})
	o.start()
	kubetest.Await(t, o.Env, &appsv1.Deployment{ObjectMeta: named("all")}, "has the new variable", func(d *appsv1.Deployment) bool {
		for _, e := range d.Spec.Template.Spec.Containers[0].Env {
			if e.Name == "HTTPS_PROXY" {
				return true
			}
		}
		return false
	})
	kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: named("all-api-key")}, "has another key", func(s *corev1.Secret) bool { return string(s.Data["key"]) != key })
	o.awaitRow(o.alias("all"), "billing_account", "acme")
	kubetest.Await(t, o.Env, in, "is ready as it is now", func(now *v1alpha1.SocialOpsInstance) bool {
		return now.Status.ObservedGeneration == now.Generation && has(now, "Ready=True/Ready")
	})
	o.quiet()
}

// A release of the operator that has nothing new for instances leaves all of them alone.
func TestARestartWithAnotherVersion(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("all", withEverything), o.instance("plain"))
	o.await("all", "Ready=True/Ready")
	o.await("plain", "Ready=True/Ready")
	o.settled()
	before := o.versions()

	o.stop()
	o.options.Version = "v99.0.0"
	o.start()
	o.Apply(t, o.instance("later")) // the new one works
	o.await("later", "Ready=True/Ready")
	o.settled()
	after := o.versions()
	maps.DeleteFunc(after, func(name, _ string) bool { return strings.Contains(name, "/later") })
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("another version of the operator changed objects: %s", diff)
	}
	o.quiet()
}
