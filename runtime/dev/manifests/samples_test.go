package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open4x/socialops/api/v1alpha1"
	samplefiles "github.com/open4x/socialops/config/samples"
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
// server answers; here it is asked of the validator, and in config/samples of a real
// API server. Nothing else may be wrong with it. Those of invalid/changed are refused
// as changes, which leaves the first version in force.
func TestInvalidSamplesAreRefused(t *testing.T) {
	t.Parallel()
	refused, err := samplefiles.Refused()
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) < 100 {
		t.Fatalf("only %d files", len(refused))
	}
	for _, sample := range refused {
		t.Run(sample.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			before := &Set{}
			if sample.Before != "" {
				write(t, dir, "invalid.yaml", sample.Before)
				before = read(t, dir, nil)
				checkProblems(t, before, nil)
			}
			write(t, dir, "invalid.yaml", sample.Manifest)
			set := read(t, dir, before)
			var messages []string
			for _, p := range set.Problems {
				messages = append(messages, p.Error())
			}
			for _, difference := range sample.Differences(messages) {
				t.Error(difference)
			}
			if !slices.Equal(before.Instances, set.Instances) || !slices.Equal(before.Bindings, set.Bindings) {
				t.Error("what was refused is in the set, or what was in force no longer is")
			}
		})
	}
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
