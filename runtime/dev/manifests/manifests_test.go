package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

const instance = `
apiVersion: socialops.dev/v1alpha1
kind: SocialOpsInstance
metadata:
  name: %s
spec:
  alias: %[1]s
  owner: alice
`

func instanceNamed(name string) string { return fmt.Sprintf(instance, name) }

func TestDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.yaml", instanceNamed("support")+`---
apiVersion: socialops.dev/v1alpha1
kind: ChannelBinding
metadata:
  name: events
  namespace: team-a
spec:
  instanceRef: {name: support}
  provider: generic-webhook
  channelName: Events
`)
	set := read(t, dir, nil)
	checkProblems(t, set, nil)

	limit := resource.MustParse("25Mi")
	perMinute := int32(6000)
	active := true
	want := &Set{
		Instances: []*v1alpha1.SocialOpsInstance{{
			TypeMeta:   metav1.TypeMeta{APIVersion: "socialops.dev/v1alpha1", Kind: "SocialOpsInstance"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "support", Generation: 1},
			Spec: v1alpha1.SocialOpsInstanceSpec{
				Alias:          "support",
				Owner:          "alice",
				Providers:      []v1alpha1.Provider{"generic-webhook", "telegram", "github"},
				Exposure:       v1alpha1.Exposure{Type: v1alpha1.ExposureNone},
				RateLimit:      v1alpha1.RateLimit{RequestsPerMinute: &perMinute, Burst: 200},
				BodyLimit:      &limit,
				Billing:        v1alpha1.Billing{Mode: v1alpha1.BillingTrack, Prices: v1alpha1.Prices{Inbound: "0.0002", Reply: "0.001"}},
				DeletionPolicy: v1alpha1.DeletionRetain,
			},
		}},
		Bindings: []*v1alpha1.ChannelBinding{{
			TypeMeta:   metav1.TypeMeta{APIVersion: "socialops.dev/v1alpha1", Kind: "ChannelBinding"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "events", Generation: 1},
			Spec: v1alpha1.ChannelBindingSpec{
				InstanceRef: v1alpha1.InstanceReference{Name: "support"},
				Provider:    v1alpha1.ProviderGenericWebhook,
				ChannelName: "Events",
				Active:      &active,
			},
		}},
	}
	if diff := cmp.Diff(want, set, cmpopts.IgnoreUnexported(Set{}), cmpopts.IgnoreFields(metav1.ObjectMeta{}, "UID")); diff != "" {
		t.Error(diff)
	}
	if set.Instances[0].UID == "" || set.Instances[0].UID == set.Bindings[0].UID {
		t.Error("objects need a UID each")
	}
	if limit.Cmp(v1alpha1.DefaultBodyLimit) != 0 {
		t.Error("DefaultBodyLimit isn't the CRD's default")
	}
	if got, _ := set.Source(v1alpha1.KindChannelBinding, "team-a", "events"); got.String() != "a.yaml (document 2)" {
		t.Errorf("source is %q", got)
	}
}

// What is in a folder, and what Read makes of it.
func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		files    map[string]string
		objects  []string // that are in the set
		problems []string // word for word
		notes    []string
	}{
		{name: "nothing"},
		{
			name: "only manifests, and only those of the folder itself",
			files: map[string]string{
				"a.yaml": instanceNamed("a"), "b.yml": instanceNamed("b"), "c.json": `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}`,
				"d.txt": "not read", "kustomization.yaml": "resources: [a.yaml]", ".#a.yaml": "an editor's lock",
				"folder/e.yaml": instanceNamed("e"), "folder.yaml/f.yaml": instanceNamed("f"),
			},
			objects: []string{"default/a", "default/b", "Secret default/c"},
		},
		{
			name:    "documents, comments and a List",
			files:   map[string]string{"a.yaml": "\ufeff# only a comment\n---\n" + instanceNamed("b") + "--- # another\n\n---\napiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(instanceNamed("a")), "\n", "\n  ") + "\n...\n"},
			objects: []string{"default/a", "default/b"},
		},
		{
			name:    "several objects in a JSON file",
			files:   map[string]string{"a.json": "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"}}\n\t{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"b\"}}"},
			objects: []string{"Secret default/a", "Secret default/b"},
		},
		{
			name:    "what an API server sets itself",
			files:   map[string]string{"a.yaml": strings.Replace(instanceNamed("a"), "metadata:", "metadata:\n  uid: x\n  generation: 7\n  resourceVersion: \"9\"\n  creationTimestamp: null\n  managedFields: []", 1) + "status:\n  unknown: true\n"},
			objects: []string{"default/a"},
		},
		{
			name:  "other kinds",
			files: map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team}\n", "b.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"},
			notes: []string{`a.yaml: ConfigMap "team/a" is passed over: only SocialOpsInstance, ChannelBinding and Secret are read from a folder`},
		},
		{
			name:     "a kind that the group doesn't have",
			files:    map[string]string{"a.yaml": strings.Replace(instanceNamed("a"), "SocialOpsInstance", "SocialOpsInstanse", 1)},
			problems: []string{`a.yaml: no matches for kind "SocialOpsInstanse" in version "socialops.dev/v1alpha1": there are SocialOpsInstance and ChannelBinding in socialops.dev/v1alpha1`},
		},
		{
			name:     "a version that the group doesn't have",
			files:    map[string]string{"a.yaml": strings.Replace(instanceNamed("a"), "v1alpha1", "v1", 1)},
			problems: []string{`a.yaml: no matches for kind "SocialOpsInstance" in version "socialops.dev/v1": there are SocialOpsInstance and ChannelBinding in socialops.dev/v1alpha1`},
		},
		{
			name:  "one object twice",
			files: map[string]string{"a.yaml": instanceNamed("a"), "b.yaml": instanceNamed("b") + "---\n" + instanceNamed("a")},
			// The first holds, whatever the second says.
			objects:  []string{"default/a", "default/b"},
			problems: []string{`b.yaml (document 2): SocialOpsInstance "a": stands in a.yaml already: remove one of the two`},
		},
		{
			name:    "one name in two namespaces",
			files:   map[string]string{"a.yaml": instanceNamed("a"), "b.yaml": strings.Replace(instanceNamed("a"), "name:", "namespace: team\n  name:", 1)},
			objects: []string{"default/a", "team/a"},
		},
		{
			name:  "no kind, no name, not an object",
			files: map[string]string{"a.yaml": "apiVersion: v1\n", "b.yaml": "kind: Secret\n", "c.yaml": "apiVersion: v1\nkind: Secret\n", "d.yaml": "- a\n", "e.yaml": "hello\n", "f.yaml": "apiVersion: v1\nkind: List\nitems: [1]\n"},
			problems: []string{
				`a.yaml: Object 'Kind' is missing: is this a Kubernetes manifest?`,
				`b.yaml: Object 'ApiVersion' is missing: is this a Kubernetes manifest?`,
				`c.yaml: Secret "": metadata.name: Required value`,
				`d.yaml: must be an object with apiVersion, kind and metadata`,
				`e.yaml: must be an object with apiVersion, kind and metadata`,
				`f.yaml: items: Invalid value: must be a list of objects`,
			},
		},
		{
			name: "what is no YAML or JSON, by line of the file",
			files: map[string]string{
				"a.yaml": instanceNamed("a") + "---\na: b: c\n", "b.yaml": instanceNamed("b") + "--- no\n",
				"c.json": "{\n  \"a\": }", "d.json": `{"apiVersion":"v1","kind":"Secret","kind":"Secret"}`, "e.yaml": "a: 1\nb: 2\na: 3\n",
			},
			objects: []string{"default/a"},
			problems: []string{
				`a.yaml (document 2): line 10: mapping values are not allowed in this context`,
				`b.yaml: line 9: only a comment may follow --- on its line`,
				`c.json: line 2: invalid character '}' looking for beginning of value`,
				`d.json: duplicate field "kind"`,
				`e.yaml: line 3: key "a" already set in map`,
			},
		},
		{
			name:  "bad metadata",
			files: map[string]string{"a.yaml": strings.Replace(instanceNamed("a"), "name:", "labels: {x: 1}\n  name:", 1), "b.yaml": strings.Replace(instanceNamed("b"), "name:", "lables: {}\n  name:", 1), "c.yaml": strings.Replace(instanceNamed("c"), "name:", "namespace: 1\n  name:", 1), "d.yaml": strings.Replace(instanceNamed("d"), "name:", "namespace: Team\n  name:", 1)},
			problems: []string{
				`a.yaml: SocialOpsInstance "a": metadata: Invalid value: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string`,
				`b.yaml: SocialOpsInstance "b": unknown field "metadata.lables"`,
				`c.yaml: SocialOpsInstance "c": metadata.namespace: Invalid value: 1: must be a string: put it in quotes`,
				`d.yaml: SocialOpsInstance "Team/d": metadata.namespace: Invalid value: "Team": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, content := range tt.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, dir, name, content)
			}
			set := read(t, dir, nil)
			if diff := cmp.Diff(tt.objects, names(set)); diff != "" {
				t.Error("objects:", diff)
			}
			var problems, notes []string
			for _, p := range set.Problems {
				problems = append(problems, p.Error())
			}
			for _, n := range set.Notes {
				notes = append(notes, n.String())
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" {
				t.Error("problems:", diff)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Error("notes:", diff)
			}
		})
	}
}

// names lists what a set holds, in its order.
func names(set *Set) []string {
	var list []string
	for _, o := range set.Instances {
		list = append(list, o.Namespace+"/"+o.Name)
	}
	for _, o := range set.Bindings {
		list = append(list, "ChannelBinding "+o.Namespace+"/"+o.Name)
	}
	for _, o := range set.Secrets {
		list = append(list, "Secret "+o.Namespace+"/"+o.Name)
	}
	return list
}

func TestSecret(t *testing.T) {
	t.Parallel()
	const metadata = "apiVersion: v1\nkind: Secret\nmetadata: {name: bot, labels: {a: b}, annotations: {c: d}}\n"
	tests := []struct {
		name, content string
		data          map[string][]byte
		problem       string
	}{
		{"stringData over data", metadata + "type: Opaque\nimmutable: true\ndata: {a: aGk=, b: aGk=}\nstringData: {b: 'hello', c: ''}\n", map[string][]byte{"a": []byte("hi"), "b": []byte("hello"), "c": {}}, ""},
		{"nothing", metadata, map[string][]byte{}, ""},
		{"null", metadata + "data:\nstringData: {a: null}\n", map[string][]byte{"a": {}}, ""},
		{"number", metadata + "stringData: {token: 987654321}\n", nil, "stringData[token]: Invalid value: must be a string"},
		{"no base64", metadata + "data: {token: '987654321:abc'}\n", nil, "data[token]: Invalid value: must be base64; plain text goes under stringData"},
		{"list", metadata + "data: [987654321]\n", nil, "data: Invalid value: must be a map of keys to strings"},
		{"key", metadata + "stringData: {'to ken': '987654321'}\n", nil, "stringData[to ken]: Invalid value: a valid config key must consist of"},
		{"unknown field", metadata + "strngData: {token: '987654321'}\n", nil, `unknown field "strngData"`},
		{"type", metadata + "type: 1\n", nil, "type: Invalid value: must be a string"},
		{"immutable", metadata + "immutable: 'yes'\n", nil, "immutable: Invalid value: must be true or false"},
		{"too large", metadata + "stringData: {a: '" + strings.Repeat("a", maxSecret+1) + "'}\n", nil, "data: Too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "secret.yaml", tt.content)
			set := read(t, dir, nil)
			if tt.problem != "" {
				checkProblems(t, set, []string{tt.problem})
				if len(set.Problems) != 1 || strings.Contains(set.Problems[0].Error(), "987654321") {
					t.Errorf("a problem tells the value: %v", set.Problems)
				}
				return
			}
			checkProblems(t, set, nil)
			want := []*Secret{{Namespace: "default", Name: "bot", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}, Data: tt.data}}
			if diff := cmp.Diff(want, set.Secrets); diff != "" {
				t.Error(diff)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				if got := fmt.Sprintf(verb, set.Secrets[0]); got != `Secret "bot"` {
					t.Errorf("%s prints %s", verb, got)
				}
			}
		})
	}
}

// A folder is read again and again while a person edits it.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(t.TempDir(), "manifests.json")
	const bot = "apiVersion: v1\nkind: Secret\nmetadata: {name: bot}\nstringData: {token: t}\n"
	both := instanceNamed("a") + "---\n" + instanceNamed("b") + "---\n" + bot
	write(t, dir, "a.yaml", both)
	set := read(t, dir, nil)
	checkProblems(t, set, nil)
	uid := set.Instance("default", "a").UID

	steps := []struct {
		name       string
		content    string // of a.yaml; empty: the file is removed
		problems   []string
		objects    []string
		generation int64 // of a
		newUID     bool
	}{
		{"nothing changes", both, nil, []string{"default/a", "default/b", "Secret default/bot"}, 1, false},
		{"another spelling of the same", strings.Replace(both, "owner: alice", "owner: 'alice'\n  bodyLimit: 25600Ki\n  pod:", 1), nil, []string{"default/a", "default/b", "Secret default/bot"}, 1, false},
		{"a change", strings.Replace(both, "owner: alice", "owner: bob", 1), nil, []string{"default/a", "default/b", "Secret default/bot"}, 2, false},
		{"labels don't count", strings.Replace(strings.Replace(both, "owner: alice", "owner: bob", 1), "name: a", "name: a\n  labels: {x: z}", 1), nil, []string{"default/a", "default/b", "Secret default/bot"}, 2, false},
		{"a change that is refused", strings.Replace(both, "alias: a", "alias: c", 1), []string{`a.yaml (document 1): SocialOpsInstance "a": spec.alias: Invalid value: "c": can't be changed`}, []string{"default/a", "default/b", "Secret default/bot"}, 2, false},
		{"a Secret that is refused", strings.Replace(both, "token: t", "token: 1", 1), []string{"stringData[token]"}, []string{"default/a", "default/b", "Secret default/bot"}, 3, false},
		{"a file that is broken", "a: b: c", []string{"a.yaml: line 1: mapping values"}, []string{"default/a", "default/b", "Secret default/bot"}, 3, false},
		{"a document that is broken", instanceNamed("a") + "---\na: b: c\n---\n" + bot, []string{"a.yaml (document 2): line 10: mapping values"}, []string{"default/a", "default/b", "Secret default/bot"}, 3, false},
		{"an object that is gone", instanceNamed("a"), nil, []string{"default/a"}, 3, false},
		{"a file that is gone", "", nil, nil, 0, false},
		{"the same name again", strings.Replace(both, "alias: a", "alias: c", 1), nil, []string{"default/a", "default/b", "Secret default/bot"}, 1, true},
	}
	for _, step := range steps {
		if step.content == "" {
			if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
				t.Fatal(err)
			}
		} else {
			write(t, dir, "a.yaml", step.content)
		}
		// A restart in between changes nothing, but for Secrets, which are not kept.
		if err := set.Save(state); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(state)
		if err != nil {
			t.Fatal(err)
		}
		again := read(t, dir, loaded)
		set = read(t, dir, set)

		checkProblems(t, set, step.problems)
		if diff := cmp.Diff(step.objects, names(set)); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		equal := cmp.Options{cmpopts.IgnoreUnexported(Set{}), cmpopts.IgnoreFields(Set{}, "Secrets")}
		if step.newUID {
			equal = append(equal, cmpopts.IgnoreFields(metav1.ObjectMeta{}, "UID"))
		}
		if diff := cmp.Diff(set, again, equal); diff != "" {
			t.Errorf("%s: after a restart: %s", step.name, diff)
		}
		if a := set.Instance("default", "a"); a != nil && (a.Generation != step.generation || (a.UID == uid) == step.newUID) {
			t.Errorf("%s: generation %d, UID %s", step.name, a.Generation, a.UID)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Read(t.Context(), filepath.Join(dir, "missing"), nil); err == nil || !strings.Contains(err.Error(), "reading manifests: open ") {
		t.Errorf("a missing folder: %v", err)
	}

	write(t, dir, "large.yaml", strings.Repeat("# filler\n", maxFile/9+1))
	if err := os.Symlink("nowhere", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	checkProblems(t, read(t, dir, nil), []string{
		"large.yaml: larger than 16 MiB: split it into several files",
		"link.yaml: can't be read: no such file or directory",
	})

	damaged := filepath.Join(dir, "state.json")
	write(t, dir, "state.json", "{")
	if _, err := Load(damaged); err == nil || !strings.Contains(err.Error(), "is damaged; remove it") {
		t.Errorf("damaged state: %v", err)
	}
	if set, err := Load(filepath.Join(dir, "no-state")); err != nil || len(names(set)) != 0 {
		t.Errorf("no state: %v, %v", set, err)
	}
	if err := (&Set{}).Save(filepath.Join(dir, "missing", "state.json")); err == nil {
		t.Error("saved into a folder that isn't there")
	}
}

// However the folder is listed, problems and objects come in one order.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := strings.NewReplacer("alias: z", "alias: Z", "owner: alice", "owner: ''\n  replicas: 0").Replace(instanceNamed("z"))
	write(t, dir, "a.yaml", bad+"---\n"+instanceNamed("w")+"---\n"+instanceNamed("x"))
	first := read(t, dir, nil)
	if len(first.Problems) < 3 || !slices.Equal(names(first), []string{"default/w", "default/x"}) {
		t.Fatal(first.Problems, names(first))
	}
	for range 20 {
		if diff := cmp.Diff(first.Problems, read(t, dir, nil).Problems); diff != "" {
			t.Fatal(diff)
		}
	}
}
