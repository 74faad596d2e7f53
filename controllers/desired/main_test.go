package desired_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/dev/manifests"
	"github.com/open4x/socialops/runtime/project"
)

var update = flag.Bool("update", false, "write golden files anew")

const (
	operatorImage = "ghcr.io/open4x/socialops@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	oneKey        = "sk_SAMPLEsampleSAMPLEsampleSAMPLEsample0001"
	otherKey      = "sk_SAMPLEsampleSAMPLEsampleSAMPLEsample0002"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// settings are an operator's of whom little was asked.
func settings() *desired.Settings {
	return &desired.Settings{
		Image:                operatorImage,
		AllowedImagePrefixes: []string{"registry.acme.com/inbox"},
		DefaultHost:          "inbox.example.com",
		AllowedHosts:         []string{"inbox.acme.com", "*.apps.example.com"},
		IngressClassName:     "public",
	}
}

// facts are those of an instance at rest.
func facts(in *v1alpha1.SocialOpsInstance) *desired.Facts {
	f := &desired.Facts{RuntimeSecret: map[string][]byte{
		desired.KeyURL:         []byte("postgres://so_sample:sample-password@db.postgres:5432/socialops"),
		desired.KeyPassword:    []byte("sample-password"),
		desired.KeyInstanceKey: []byte("0123456789abcdef0123456789abcdef"),
	}}
	if len(in.Spec.APIKeys) == 0 {
		f.KeySecret = &desired.KeySecret{Key: oneKey}
	}
	return f
}

// manifest reads an instance as a cluster would take it, defaults and all.
func manifest(t *testing.T, name string) *v1alpha1.SocialOpsInstance {
	t.Helper()
	set, err := manifests.Read(t.Context(), filepath.Join("testdata", "manifests"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Problems {
		t.Fatal(p)
	}
	in := set.Instance("acme", name)
	if in == nil {
		t.Fatalf("no instance %q in testdata/manifests", name)
	}
	in = in.DeepCopy()
	in.UID = "11111111-2222-3333-4444-555555555555"
	return in
}

func objects(t *testing.T, in *v1alpha1.SocialOpsInstance, s *desired.Settings, f *desired.Facts) []desired.Object {
	t.Helper()
	list, err := desired.Objects(in, s, f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// golden compares with a file that a person has read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden.yaml")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file (run with -update to make it): %v", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the objects changed; if that is meant, run the test with -update (-golden +now):\n%s", diff)
	}
}

// text writes objects as a manifest.
func text(t *testing.T, list []desired.Object) string {
	t.Helper()
	var b bytes.Buffer
	for _, o := range list {
		b.WriteString("---\n")
		if o.Apply == nil {
			b.WriteString("# " + o.String() + " stays as it is.\n")
			continue
		}
		data, err := yaml.Marshal(o.Apply)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

// Each case has its manifest in testdata/manifests and its objects beside it.
func TestObjects(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		settings func(*desired.Settings)
		facts    func(*desired.Facts)
	}{
		"minimal":          {settings: func(s *desired.Settings) { *s = desired.Settings{Image: operatorImage} }},
		"replicas":         {},
		"autoscaling":      {},
		"suspended":        {},
		"ingress-own-host": {},
		"ingress-shared-host": {settings: func(s *desired.Settings) {
			s.IngressAnnotations = map[string]string{"nginx.ingress.kubernetes.io/proxy-body-size": "25m"}
		}},
		"httproute":    {settings: func(s *desired.Settings) { s.Gateway = v1alpha1.GatewayReference{Namespace: "default", Name: "unused"} }},
		"pod-settings": {},
		"resources":    {},
		"network": {settings: func(s *desired.Settings) {
			s.DatabaseCIDRs = []string{"10.20.0.7/16", "2001:db8::/32"}
			s.DatabasePorts = []int32{6432, 5432, 5432}
			s.MonitoringNamespace = "monitoring"
			s.OTLPEndpoint = "http://192.0.2.10:4318"
			s.LogLevel, s.LogFormat = "debug", "text"
		}},
		"key-rotation": {facts: func(f *desired.Facts) {
			f.KeySecret = &desired.KeySecret{Key: otherKey, RotatedFor: "after-the-audit", Previous: oneKey, PreviousExpires: noon.Add(23 * time.Hour)}
		}},
		"image-not-allowed": {},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, s := manifest(t, name), settings()
			if c.settings != nil {
				c.settings(s)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			f := facts(in)
			if c.facts != nil {
				c.facts(f)
			}
			golden(t, name, text(t, objects(t, in, s, f)))
		})
	}
	t.Run("every case is shown", func(t *testing.T) {
		t.Parallel()
		for dir, suffix := range map[string]string{"testdata/manifests": ".yaml", "testdata": ".golden.yaml"} {
			files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range files {
				names = append(names, strings.TrimSuffix(filepath.Base(f), suffix))
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(cases)), names); diff != "" && !*update {
				t.Errorf("%s (-cases +files):\n%s", dir, diff)
			}
		}
	})
}

// What pods, owners and labels rest on holds for the objects of every case.
func TestEveryObject(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "manifests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := manifest(t, name)
			at := 0
			for _, o := range objects(t, in, settings(), facts(in)) {
				i := slices.Index(desired.Kinds(), o.GVK)
				if i < at {
					t.Errorf("%v is not in the order of Kinds", o)
				}
				at = i
				if o.Namespace != "acme" || !strings.HasPrefix(o.Name, name) {
					t.Errorf("%v isn't named after its instance", o)
				}
				if (o.Apply == nil) != (o.Hash == "") {
					t.Errorf("%v: hash %q", o, o.Hash)
				}
				if o.Apply == nil {
					continue
				}
				var content struct {
					Metadata struct {
						Labels          map[string]string
						OwnerReferences []struct {
							UID        string
							Controller bool
						}
					}
				}
				decode(t, o, &content)
				if l := content.Metadata.Labels; l[desired.LabelManagedBy] != desired.ManagedBy || l[v1alpha1.LabelInstance] != name {
					t.Errorf("%v: labels %v", o, l)
				}
				if owners := content.Metadata.OwnerReferences; len(owners) != 1 || !owners[0].Controller || owners[0].UID != string(in.UID) {
					t.Errorf("%v: owners %+v", o, owners)
				}
			}
		})
	}
}

func decode(t *testing.T, o desired.Object, into any) {
	t.Helper()
	data, err := yaml.Marshal(o.Apply)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%v: %v", o, err)
	}
}

func find(t *testing.T, list []desired.Object, kind, name string) desired.Object {
	t.Helper()
	for _, o := range list {
		if o.GVK.Kind == kind && o.Name == name {
			return o
		}
	}
	t.Fatalf("there is no %s %q", kind, name)
	return desired.Object{}
}

// What was forgotten must not be taken for what is no longer wanted.
func TestObjectsWithoutTheirFacts(t *testing.T) {
	t.Parallel()
	in := manifest(t, "minimal")
	for name, forget := range map[string]func(*desired.Facts){
		"runtime's Secret": func(f *desired.Facts) { f.RuntimeSecret = nil },
		"instance key": func(f *desired.Facts) {
			f.RuntimeSecret = map[string][]byte{"url": {1}, "password": {1}, "instance-key": {}}
		},
		"generated key": func(f *desired.Facts) { f.KeySecret = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := facts(in)
			forget(f)
			if list, err := desired.Objects(in, settings(), f); err == nil {
				t.Errorf("no error, and %v", list)
			}
		})
	}
	named := manifest(t, "resources")
	f := facts(named)
	f.KeySecret = &desired.KeySecret{Key: oneKey}
	if list, err := desired.Objects(named, settings(), f); err == nil {
		t.Errorf("a generated key beside the manifest's: no error, and %v", list)
	}
}

// A generated key is what the projection takes.
var _ = project.GeneratedKey(desired.GeneratedKey{})
