package charts

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the chart makes of each of its cases' values stands in testdata, to be read when a template changes. The CRDs
// are long, and compared with their source by another test.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, filepath.Join("testdata", name+".golden.yaml"), withoutCRDs(template(t, "--values", file)))
		})
	}
}

// Notes are the first thing that an admin reads, and their commands are run as they stand.
func TestNotes(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := mustRun(t, helm, "install", release, chart, "--namespace", home, "--dry-run=client", "--values", file)
			_, notes, found := strings.Cut(out, "\nNOTES:\n")
			if !found {
				t.Fatalf("no notes in\n%s", out)
			}
			compare(t, filepath.Join("testdata", name+".notes.txt"), notes)
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: go test ./charts -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the chart makes now; if it should be, go test ./charts -update (-want +got):\n%s", file, diff)
	}
}

var source = regexp.MustCompile(`(?m)^# Source: socialops/templates/crds/`)

func withoutCRDs(manifest string) string {
	var kept []string
	for document := range strings.SplitSeq(manifest, "---\n") {
		if !source.MatchString(document) {
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "---\n")
}

// A golden file without a case is left over from one that has gone.
func TestEveryGoldenFileHasACase(t *testing.T) {
	t.Parallel()
	cases := values(t)
	files, err := filepath.Glob("testdata/*.golden.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, found := cases[strings.TrimSuffix(filepath.Base(file), ".golden.yaml")]; !found {
			t.Errorf("%s: no values of that name", file)
		}
	}
}
