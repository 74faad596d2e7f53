package crd_test

import (
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/config/crd"
)

var files = map[string][]byte{
	"socialopsinstances.socialops.dev": crd.SocialOpsInstances,
	"channelbindings.socialops.dev":    crd.ChannelBindings,
}

// An API server refuses a CRD whose schema isn't structural, whose defaults don't
// validate or whose CEL rules don't compile or may cost too much; it is asked here
// what it would say.
func TestAPIServerTakesTheCRDs(t *testing.T) {
	t.Parallel()
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := decode(t, data)
			if def.Name != name {
				t.Errorf("name is %q, want %q", def.Name, name)
			}
			apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&def.Spec)
			def.Status.StoredVersions = []string{"v1alpha1"}
			var internal apiextensions.CustomResourceDefinition
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&def, &internal, nil); err != nil {
				t.Fatal(err)
			}
			for _, err := range validation.ValidateCustomResourceDefinition(t.Context(), &internal) {
				t.Error(err)
			}
		})
	}
}

// kubectl apply keeps the whole manifest in an annotation, of which an object may have 256 KiB.
func TestFitsKubectlsAnnotation(t *testing.T) {
	t.Parallel()
	for name, data := range files {
		asJSON, err := yaml.YAMLToJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", name, len(asJSON))
		if size := max(len(asJSON), len(data)); size >= 256<<10 {
			t.Errorf("%s has %d bytes, too many for kubectl apply", name, size)
		}
	}
}

// Every field says what it is, for kubectl explain.
func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()
	for name, data := range files {
		def := decode(t, data)
		var walk func(path string, s apiextensionsv1.JSONSchemaProps)
		walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
			if s.Description == "" && path != ".metadata" {
				t.Errorf("%s: %s has no description", name, path)
			}
			for key, property := range s.Properties {
				walk(path+"."+key, property)
			}
			if s.Items != nil && s.Items.Schema != nil && s.Items.Schema.Type == "object" {
				walk(path+"[]", *s.Items.Schema)
			}
		}
		walk("", *def.Spec.Versions[0].Schema.OpenAPIV3Schema)
	}
}

func decode(t *testing.T, data []byte) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var def apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &def); err != nil {
		t.Fatal(err)
	}
	return def
}
