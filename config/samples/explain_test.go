package samples_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"k8s.io/client-go/discovery"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

// schema is as much of an OpenAPI schema as kubectl explain shows.
type schema struct {
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	Ref         string            `json:"$ref"`
	AllOf       []schema          `json:"allOf"`
	Kinds       []struct {
		Kind string `json:"kind"`
	} `json:"x-kubernetes-group-version-kind"`
}

// kubectl explain, which asks the API server, has something to say of every field.
func TestEveryFieldIsExplained(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	d, err := discovery.NewDiscoveryClientForConfig(env.Config)
	if err != nil {
		t.Fatal(err)
	}
	data := published(t, d)
	var document struct {
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	fields := map[string]int{}
	for _, s := range document.Components.Schemas {
		for _, k := range s.Kinds {
			if k.Kind != v1alpha1.KindSocialOpsInstance && k.Kind != v1alpha1.KindChannelBinding {
				continue
			}
			var walk func(path string, s schema)
			walk = func(path string, s schema) {
				fields[k.Kind]++
				if s.Description == "" && s.Ref == "" && len(s.AllOf) == 0 {
					t.Errorf("%s has no description", path)
				}
				for name, property := range s.Properties {
					walk(path+"."+name, property)
				}
				if s.Items != nil && len(s.Items.Properties) > 0 {
					walk(path+"[]", *s.Items)
				}
			}
			walk(k.Kind, s)
		}
	}
	if fields[v1alpha1.KindSocialOpsInstance] < 80 || fields[v1alpha1.KindChannelBinding] < 20 {
		t.Errorf("it explains only so many fields: %v", fields)
	}
}

// published waits until the API server explains both kinds: it does so a while after
// it has taken them, and tells nobody.
func published(t *testing.T, d discovery.OpenAPIV3SchemaInterface) []byte {
	t.Helper()
	for deadline := time.Now().Add(kubetest.Patience); ; time.Sleep(50 * time.Millisecond) {
		paths, err := d.OpenAPIV3().Paths()
		if err != nil {
			t.Fatal(err)
		}
		if group, ok := paths["apis/"+v1alpha1.GroupVersion.String()]; ok {
			data, err := group.Schema("application/json")
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("dev.socialops.v1alpha1."+v1alpha1.KindSocialOpsInstance+`"`)) &&
				bytes.Contains(data, []byte("dev.socialops.v1alpha1."+v1alpha1.KindChannelBinding+`"`)) {
				return data
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the API server does not explain both kinds")
		}
	}
}
