package rest_test

import (
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/rest"
)

var update = flag.Bool("update", false, "write golden files anew")

// undocumented is a server of which only what needs no store is asked.
func undocumented(t *testing.T) *httptest.Server {
	t.Helper()
	s := rest.New(rest.Options{Alias: "support", Providers: all.Providers(all.Options{}), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.Close(); s.Close() })
	return server
}

func fetch(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

func TestDocument(t *testing.T) {
	t.Parallel()
	r, got := fetch(t, undocumented(t).URL+"/v1/apps/socialops/support/openapi.json")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("openapi.json: %s, %s", r.Status, r.Header.Get("Content-Type"))
	}
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("the document changed; if that is meant, run the test with -update (-golden +now):\n%s", diff)
	}
	checkDocument(t, got)
}

// checkDocument holds a document against what OpenAPI 3.1 requires.
func checkDocument(t *testing.T, text []byte) {
	t.Helper()
	var doc struct {
		OpenAPI string
		Info    struct{ Title, Version string }
		Servers []struct {
			URL       string
			Variables map[string]struct{ Default string }
		}
		Paths      map[string]map[string]operation
		Components struct {
			Schemas         map[string]any
			Responses       map[string]response
			SecuritySchemes map[string]struct{ Type, In, Name, Scheme string }
		}
		Tags []struct{ Name string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("openapi %q, info %+v", doc.OpenAPI, doc.Info)
	}
	if len(doc.Servers) != 1 || doc.Servers[0].URL != "/v1/apps/socialops/{alias}" || doc.Servers[0].Variables["alias"].Default != "support" {
		t.Errorf("servers: %+v", doc.Servers)
	}
	tags, ids := map[string]bool{}, map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	if len(doc.Paths) != 12 {
		t.Errorf("%d paths", len(doc.Paths))
	}
	for path, item := range doc.Paths {
		if !strings.HasPrefix(path, "/") {
			t.Errorf("path %q", path)
		}
		for method, op := range item {
			at := method + " " + path
			if ids[op.OperationID] || op.OperationID == "" {
				t.Errorf("%s: operationId %q is empty or not unique", at, op.OperationID)
			}
			ids[op.OperationID] = true
			op.check(t, at, path, doc.Components.Responses)
			for _, tag := range op.Tags {
				if !tags[tag] {
					t.Errorf("%s: tag %q is not declared", at, tag)
				}
			}
			for _, need := range op.Security {
				for name := range need {
					if doc.Components.SecuritySchemes[name].Type == "" {
						t.Errorf("%s: security scheme %q is not declared", at, name)
					}
				}
			}
		}
	}
	var any any
	if err := json.Unmarshal(text, &any); err != nil {
		t.Fatal(err)
	}
	checkRefs(t, any, doc.Components.Schemas)
}

type operation struct {
	OperationID string
	Summary     string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   any
	}
	Responses map[string]response
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]struct{ Schema any }
}

var inPath = regexp.MustCompile(`\{([^}]+)\}`)

func (op operation) check(t *testing.T, at, path string, responses map[string]response) {
	t.Helper()
	if op.Summary == "" || len(op.Tags) == 0 {
		t.Errorf("%s: without summary or tag", at)
	}
	declared := map[string]bool{}
	for _, p := range op.Parameters {
		if p.Schema == nil || p.In != "path" && p.In != "query" && p.In != "header" {
			t.Errorf("%s: parameter %+v", at, p)
		}
		if p.In == "path" {
			declared[p.Name] = true
			if !p.Required {
				t.Errorf("%s: path parameter %s is not required", at, p.Name)
			}
		}
	}
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		if !declared[m[1]] {
			t.Errorf("%s: path parameter %s is not declared", at, m[1])
		}
		delete(declared, m[1])
	}
	for name := range declared {
		t.Errorf("%s: there is no %s in the path", at, name)
	}
	success := false
	for status, r := range op.Responses {
		success = success || status[0] == '2'
		if name, isRef := strings.CutPrefix(r.Ref, "#/components/responses/"); isRef {
			r = responses[name]
		}
		if r.Description == "" {
			t.Errorf("%s: answer %s has no description", at, status)
		}
		if len(r.Content) == 0 {
			t.Errorf("%s: answer %s has no content", at, status)
		}
		for kind, c := range r.Content {
			if c.Schema == nil {
				t.Errorf("%s: answer %s, %s has no schema", at, status, kind)
			}
		}
	}
	if !success {
		t.Errorf("%s: no answer is a success", at)
	}
}

// checkRefs follows every reference.
func checkRefs(t *testing.T, v any, schemas map[string]any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			name, ours := strings.CutPrefix(ref, "#/components/schemas/")
			if _, there := schemas[name]; ours != there {
				t.Errorf("reference %q leads nowhere", ref)
			}
		}
		for _, item := range v {
			checkRefs(t, item, schemas)
		}
	case []any:
		for _, item := range v {
			checkRefs(t, item, schemas)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	r, body := fetch(t, undocumented(t).URL+"/v1/apps/socialops/support/docs")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("docs: %s, %s", r.Status, r.Header.Get("Content-Type"))
	}
	if csp := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	page := string(body)
	for _, want := range []string{
		`<html lang="en">`, "POST</span> <code>/webhook/{provider}", `id="stream-events"`, `id="shape-Thread"`, "socialops:write",
		"https://HOST/v1/apps/socialops/support/webhook/generic-webhook", `"event_id": "evt_1001"`,
	} {
		if !strings.Contains(strings.ReplaceAll(page, "&#34;", `"`), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, alien := range []string{"<script", " src=", "http://", "@import", "ZgotmplZ"} {
		if strings.Contains(page, alien) {
			t.Errorf("the page holds %q", alien)
		}
	}
	// Every link leads to something on the page or of this API.
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("id %q is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` href="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if anchor, inside := strings.CutPrefix(m[1], "#"); inside && !ids[anchor] || !inside && m[1] != "/v1/apps/socialops/support/openapi.json" {
			t.Errorf("link to %q", m[1])
		}
	}
}
