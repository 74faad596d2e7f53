package desired_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/controllers/kubetest"
)

// A real API server takes the objects of every case, field by field, and an object
// that is applied again stays as it is: after a restart the operator applies each
// once, and nothing moves.
func TestAnAPIServerTakesTheObjects(t *testing.T) {
	t.Parallel()
	server := kubetest.NewServer(t, kubetest.Options{GatewayAPI: true})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	if err := server.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	apply := func(t *testing.T, o desired.Object) *unstructured.Unstructured {
		t.Helper()
		data, err := json.Marshal(o.Apply)
		if err != nil {
			t.Fatal(err)
		}
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(o.GVK)
		live.SetNamespace(o.Namespace)
		live.SetName(o.Name)
		err = server.Client.Patch(t.Context(), live, client.RawPatch(types.ApplyPatchType, data),
			client.FieldOwner(desired.FieldManager), client.ForceOwnership, client.FieldValidation("Strict"))
		if err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		return live
	}
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			in, s := manifest(t, name), settings()
			s.DatabaseCIDRs, s.MonitoringNamespace, s.OTLPEndpoint = []string{"10.20.0.7/16"}, "monitoring", "http://192.0.2.10:4318"
			for _, o := range objects(t, in, s, facts(in)) {
				if o.Apply == nil {
					continue
				}
				first, again := apply(t, o), apply(t, o)
				if first.GetResourceVersion() != again.GetResourceVersion() {
					t.Errorf("%v changed when it was applied again", o)
				}
				if o.GVK.Kind == "Deployment" {
					podIsTaken(t, server, o)
				}
			}
		})
	}
}

// podIsTaken asks the API server for a pod of a Deployment, without making one.
func podIsTaken(t *testing.T, server *kubetest.Env, o desired.Object) {
	t.Helper()
	var d struct {
		Spec struct{ Template corev1.PodTemplateSpec }
	}
	decode(t, o, &d)
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Namespace, pod.GenerateName = o.Namespace, o.Name+"-"
	pod.Spec.PriorityClassName = "" // the classes are the cluster's
	if err := server.Client.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Errorf("a pod of %v: %v", o, err)
	}
}
