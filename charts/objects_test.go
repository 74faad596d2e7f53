package charts

import (
	"cmp"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/open4x/socialops/controllers/kubetest"
)

// objects are those of a manifest, in the order of their keys.
func objects(t *testing.T, manifest string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, o := range kubetest.Load(t, manifest) {
		u, ok := o.(*unstructured.Unstructured)
		if !ok {
			t.Fatalf("a %T", o)
		}
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int { return cmp.Compare(key(a), key(b)) })
	return all
}

// key tells an object from all others.
func key(o *unstructured.Unstructured) string {
	return o.GetAPIVersion() + " " + o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

func isHook(o *unstructured.Unstructured) bool { return o.GetAnnotations()["helm.sh/hook"] != "" }

// pods is the template of an object's pods; nil if it makes none.
func pods(t *testing.T, o *unstructured.Unstructured) *corev1.PodTemplateSpec {
	t.Helper()
	into := func(typed any) {
		t.Helper()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, typed, true); err != nil {
			t.Fatalf("%s: %v", key(o), err)
		}
	}
	switch o.GetKind() {
	case "Deployment":
		var d appsv1.Deployment
		into(&d)
		return &d.Spec.Template
	case "Job":
		var j batchv1.Job
		into(&j)
		return &j.Spec.Template
	case "CronJob":
		var c batchv1.CronJob
		into(&c)
		return &c.Spec.JobTemplate.Spec.Template
	default:
		return nil
	}
}
