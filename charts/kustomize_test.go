package charts

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// config/default gives what the chart gives by default, for the database Secret that its comment names, and config/console
// what it gives with a console. What differs is listed here, and nothing else does:
//   - Helm's labels (managed-by, chart, version) and its annotation that keeps CRDs at an uninstall;
//   - the hook before an uninstall, which kustomize knows nothing of;
//   - the namespace, which Helm makes by --create-namespace.
func TestKustomizeEqualsTheChart(t *testing.T) {
	t.Parallel()
	for dir, file := range map[string]string{"default": "existing-secret", "console": "console"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			want := map[string]*unstructured.Unstructured{}
			for _, o := range objects(t, template(t, "--values", values(t)[file])) {
				if !isHook(o) {
					want[key(o)] = withoutHelm(o)
				}
			}
			got := map[string]*unstructured.Unstructured{}
			for _, o := range objects(t, mustRun(t, kustomize, "build", "../config/"+dir)) {
				if o.GetKind() != "Namespace" {
					got[key(o)] = withoutHelm(o)
				}
			}
			same(t, want, got)
		})
	}
}

func same(t *testing.T, want, got map[string]*unstructured.Unstructured) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got[k] == nil {
			t.Errorf("%s: only the chart has it", k)
			continue
		}
		if diff := cmp.Diff(want[k].Object, got[k].Object); diff != "" {
			t.Errorf("%s differs (-chart +kustomize):\n%s", k, diff)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if want[k] == nil {
			t.Errorf("%s: only kustomize has it", k)
		}
	}
}

// withoutHelm takes off what only Helm puts on.
func withoutHelm(o *unstructured.Unstructured) *unstructured.Unstructured {
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	for _, label := range []string{"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"} {
		delete(labels, label)
	}
	delete(annotations, "helm.sh/resource-policy")
	o.SetLabels(labels)
	o.SetAnnotations(annotations)
	return o
}

// Every other kustomization builds, too.
func TestKustomizationsBuild(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"crd", "rbac", "manager", "samples"} {
		if len(objects(t, mustRun(t, kustomize, "build", "../config/"+dir))) == 0 {
			t.Errorf("config/%s gives nothing", dir)
		}
	}
}

// The chart's CRDs are config/crd's, kept when the release goes.
func TestCRDsOfTheChart(t *testing.T) {
	t.Parallel()
	want := map[string]map[string]any{}
	for _, o := range objects(t, mustRun(t, kustomize, "build", "../config/crd")) {
		want[o.GetName()] = o.Object
	}
	seen := 0
	for _, o := range objects(t, template(t, "--values", values(t)["trial"])) {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		seen++
		if o.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s would go with the release, and every instance with it", o.GetName())
		}
		if diff := cmp.Diff(want[o.GetName()]["spec"], o.Object["spec"]); diff != "" {
			t.Errorf("%s is out of date: run hack/generate.sh (-config/crd +chart):\n%s", o.GetName(), diff)
		}
	}
	if seen != len(want) {
		t.Errorf("the chart has %d CRDs, config/crd %d", seen, len(want))
	}
}
