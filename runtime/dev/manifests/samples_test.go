package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open4x/socialops/api/v1alpha1"
)

const samples = "../../../config/samples"

func TestSamplesAreTaken(t *testing.T) {
	t.Parallel()
	set := read(t, samples, nil)
	for _, p := range set.Problems {
		t.Error(p)
	}
	for _, n := range set.Notes {
		t.Error(n)
	}
	support := set.Instance(DefaultNamespace, "support")
	if support == nil || len(set.Instances) != 1 || len(set.Bindings) != 3 || len(set.Secrets) != 2 {
		t.Fatalf("got %d instances, %d bindings, %d Secrets", len(set.Instances), len(set.Bindings), len(set.Secrets))
	}
	for _, b := range set.Bindings {
		if b.Spec.InstanceRef.Name != support.Name {
			t.Errorf("%s is bound to %q", b.Name, b.Spec.InstanceRef.Name)
		}
		kind, needed := v1alpha1.AccountKindOf(b.Spec.Provider)
		if !needed {
			continue
		}
		account := set.Secret(b.Namespace, b.Spec.ConnectedAccountRef.Name)
		if account == nil {
			t.Errorf("%s names account %q, which isn't there", b.Name, b.Spec.ConnectedAccountRef.Name)
			continue
		}
		if got := account.Labels[v1alpha1.LabelConnectedAccount]; got != string(kind) {
			t.Errorf("%s: account is a %q, want %q", b.Name, got, kind)
		}
		if got := account.Annotations[v1alpha1.AnnotationOwner]; got != support.Spec.Owner {
			t.Errorf("%s: account belongs to %q, the instance to %q", b.Name, got, support.Spec.Owner)
		}
	}
}

// Each file of config/samples/invalid breaks one rule and says at its top what an API
// server answers ("# want: …"); here it is asked of the validator, and by the cluster
// tests of a real API server. Nothing else may be wrong with it.
func TestInvalidSamplesAreRefused(t *testing.T) {
	t.Parallel()
	files := manifestsIn(t, filepath.Join(samples, "invalid"))
	if len(files) < 100 {
		t.Fatalf("only %d files", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data := mustRead(t, file)
			dir := t.TempDir()
			write(t, dir, "invalid.yaml", string(data))
			set := read(t, dir, nil)
			checkProblems(t, set, wants(data))
			if len(set.Instances)+len(set.Bindings) > 0 {
				t.Error("it was refused, and is in the set all the same")
			}
		})
	}
}

// The files of invalid/changed hold an object twice: the first version is taken, and
// the second is refused as a change of it, which leaves the first in force.
func TestInvalidChangesAreRefused(t *testing.T) {
	t.Parallel()
	for _, file := range manifestsIn(t, filepath.Join(samples, "invalid", "changed")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data := mustRead(t, file)
			before, after, _ := strings.Cut(string(data), "\n---\n")
			dir := t.TempDir()
			write(t, dir, "changed.yaml", before)
			first := read(t, dir, nil)
			checkProblems(t, first, nil)

			write(t, dir, "changed.yaml", after)
			second := read(t, dir, first)
			checkProblems(t, second, wants(data))
			if !slices.Equal(first.Instances, second.Instances) || !slices.Equal(first.Bindings, second.Bindings) {
				t.Error("the first version is no longer in force")
			}
		})
	}
}

// wants are the messages that a sample says it is refused with.
func wants(data []byte) []string {
	var list []string
	for line := range strings.Lines(string(data)) {
		if want, ok := strings.CutPrefix(line, "# want: "); ok {
			list = append(list, strings.TrimSpace(want))
		}
	}
	return list
}

// checkProblems wants each message in one problem, and each problem to have one of them.
func checkProblems(t *testing.T, set *Set, wants []string) {
	t.Helper()
	for _, want := range wants {
		if !slices.ContainsFunc(set.Problems, func(p Problem) bool { return strings.Contains(p.Error(), want) }) {
			t.Errorf("no problem says %q", want)
		}
	}
	for _, p := range set.Problems {
		if !slices.ContainsFunc(wants, func(want string) bool { return strings.Contains(p.Error(), want) }) {
			t.Errorf("not expected: %v", p)
		}
	}
}

func manifestsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in %s: %v", dir, err)
	}
	return files
}

func read(t *testing.T, dir string, earlier *Set) *Set {
	t.Helper()
	set, err := Read(t.Context(), dir, earlier)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
