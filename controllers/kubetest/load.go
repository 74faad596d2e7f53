package kubetest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// Load reads the objects of a manifest, YAML documents or JSON.
func Load(t testing.TB, manifest string) []client.Object {
	t.Helper()
	var objects []client.Object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader([]byte(manifest))))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("reading a manifest: %v", err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &o.Object); err != nil {
			t.Fatalf("reading a manifest: %v\n%s", err, document)
		}
		if len(o.Object) > 0 { // not only comments
			objects = append(objects, o)
		}
	}
}

// LoadFiles reads the objects of the manifests that a pattern of [filepath.Glob] names,
// in the order of their names.
func LoadFiles(t testing.TB, pattern string) []client.Object {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests at %s: %v", pattern, err)
	}
	slices.Sort(files)
	var objects []client.Object
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, Load(t, string(data))...)
	}
	return objects
}

// Apply applies objects as a person does with kubectl apply --server-side, in the test's
// namespace where they name none.
func (e *Env) Apply(t testing.TB, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := e.TryApply(t, o); err != nil {
			t.Fatalf("applying %T %s: %v", o, o.GetName(), err)
		}
	}
}

// TryApply is Apply of what may be refused.
func (e *Env) TryApply(t testing.TB, o client.Object) error {
	t.Helper()
	if err := e.place(o); err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: content}
	if u.GroupVersionKind().Empty() {
		gvk, err := e.Client.GroupVersionKindFor(o)
		if err != nil {
			return err
		}
		u.SetGroupVersionKind(gvk)
	}
	// What a server sets itself is no part of an apply.
	u.SetManagedFields(nil)
	u.SetResourceVersion("")
	u.SetUID("")
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(u.Object, "metadata", "generation")
	unstructured.RemoveNestedField(u.Object, "status")
	return e.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kubectl"), client.ForceOwnership)
}
