package console_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/console"
)

var update = flag.Bool("update", false, "write golden files anew")

// The API as its callers know it. A change of it is a change of this file, seen by whoever reviews it.
func TestDocument(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := a.call("", http.MethodGet, console.BasePath+"/openapi.json", "")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("openapi.json: %s, %s", r.Status, r.Header.Get("Content-Type"))
	}
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, r.body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(r.body), "\n")); diff != "" {
		t.Errorf("the document changed; if that is meant, run the test with -update (-golden +now):\n%s", diff)
	}
	docs := a.call("", http.MethodGet, console.BasePath+"/docs", "")
	if docs.StatusCode != http.StatusOK || !strings.Contains(string(docs.body), "show-raw") || !strings.Contains(docs.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("docs: %s, %v", docs.Status, docs.Header)
	}
}
