package desired_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

func hashes(list []desired.Object) map[string]string {
	out := map[string]string{}
	for _, o := range list {
		out[o.GVK.Kind+" "+o.Name] = o.Hash
	}
	return out
}

func changed(a, b map[string]string) []string {
	var names []string
	for name := range maps.Keys(a) {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// The same input gives the same objects, byte for byte: what is applied again changes
// nothing, and pods aren't rolled for nothing.
func TestSameInputSameObjects(t *testing.T) {
	t.Parallel()
	in, s := manifest(t, "pod-settings"), settings()
	s.OTLPEndpoint = "http://collector:4318"
	first := objects(t, in, s, facts(in))
	want, wantText := hashes(first), text(t, first)
	for range 100 {
		again := objects(t, in.DeepCopy(), s, facts(in))
		if diff := cmp.Diff(want, hashes(again)); diff != "" {
			t.Fatalf("hashes differ (-first +again):\n%s", diff)
		}
		if got := text(t, again); got != wantText {
			t.Fatalf("objects differ (-first +again):\n%s", cmp.Diff(wantText, got))
		}
	}
}

// Each change reaches the objects that it is about, and no others.
func TestWhatAChangeReaches(t *testing.T) {
	t.Parallel()
	const name = "minimal"
	for change, c := range map[string]struct {
		do   func(*v1alpha1.SocialOpsInstance, *desired.Settings, *desired.Facts)
		want []string
	}{
		"nothing": {func(*v1alpha1.SocialOpsInstance, *desired.Settings, *desired.Facts) {}, nil},
		"what doesn't concern the objects": {func(in *v1alpha1.SocialOpsInstance, s *desired.Settings, _ *desired.Facts) {
			in.Generation, in.ResourceVersion, in.Spec.Owner = 9, "900", "bob"
			in.Spec.Billing.Mode = v1alpha1.BillingEnforce
			in.Status.URL = "https://elsewhere"
			s.AllowedHosts, s.AllowedImagePrefixes = []string{"other.example.com"}, []string{"other/"}
		}, nil},
		"the role's password": {func(_ *v1alpha1.SocialOpsInstance, _ *desired.Settings, f *desired.Facts) {
			f.RuntimeSecret["password"], f.RuntimeSecret["url"] = []byte("new"), []byte("postgres://so_sample:new@db.postgres:5432/socialops")
		}, []string{"Deployment minimal", "Secret minimal-runtime"}},
		"the instance's key": {func(_ *v1alpha1.SocialOpsInstance, _ *desired.Settings, f *desired.Facts) {
			f.RuntimeSecret["instance-key"] = bytes.Repeat([]byte{7}, 32)
		}, []string{"Deployment minimal", "Secret minimal-runtime"}},
		"the API key, which pods don't read": {func(_ *v1alpha1.SocialOpsInstance, _ *desired.Settings, f *desired.Facts) {
			f.KeySecret = &desired.KeySecret{Key: otherKey, Previous: oneKey, PreviousExpires: noon}
		}, []string{"Secret minimal-api-key"}},
		"the log's level": {
			func(_ *v1alpha1.SocialOpsInstance, s *desired.Settings, _ *desired.Facts) { s.LogLevel = "debug" },
			[]string{"ConfigMap minimal", "Deployment minimal"},
		},
		"the operator's image": {
			func(_ *v1alpha1.SocialOpsInstance, s *desired.Settings, _ *desired.Facts) {
				s.Image = "ghcr.io/open4x/socialops:next"
			},
			[]string{"Deployment minimal"},
		},
		"where the database is": {
			func(_ *v1alpha1.SocialOpsInstance, s *desired.Settings, _ *desired.Facts) {
				s.DatabaseCIDRs = []string{"10.0.0.0/8"}
			},
			[]string{"NetworkPolicy minimal"},
		},
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			in, s := manifest(t, name), settings()
			f := facts(in)
			before := objects(t, in, s, f)
			wantHashes := hashes(before)
			c.do(in, s, f)
			if diff := cmp.Diff(c.want, changed(wantHashes, hashes(objects(t, in, s, f)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A new Secret rolls the pods that read it, by one annotation of their template.
func TestARotatedSecretRollsItsPods(t *testing.T) {
	t.Parallel()
	in := manifest(t, "minimal")
	deployment := func(f *desired.Facts) (content map[string]any, hash any) {
		data, err := yaml.Marshal(find(t, objects(t, in, settings(), f), "Deployment", in.Name).Apply)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(data, &content); err != nil {
			t.Fatal(err)
		}
		annotations := content["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["annotations"].(map[string]any)
		hash = annotations[v1alpha1.AnnotationConfigHash]
		delete(annotations, v1alpha1.AnnotationConfigHash)
		return content, hash
	}
	f := facts(in)
	before, hashBefore := deployment(f)
	f.RuntimeSecret[desired.KeyURL] = []byte("postgres://so_sample:new@db.postgres:5432/socialops")
	after, hashAfter := deployment(f)
	if hashBefore == hashAfter || hashBefore == nil {
		t.Errorf("the hash is %v before and %v after", hashBefore, hashAfter)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("more than the hash changed:\n%s", diff)
	}
}
