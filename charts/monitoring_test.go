package charts

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// alerts are the groups of rules of a case.
func alerts(t *testing.T, name string) []any {
	t.Helper()
	for _, o := range objects(t, template(t, "--values", values(t)[name])) {
		if o.GetKind() != "PrometheusRule" {
			continue
		}
		groups, _, err := unstructured.NestedSlice(o.Object, "spec", "groups")
		if err != nil {
			t.Fatal(err)
		}
		return groups
	}
	t.Fatalf("%s has no alerts", name)
	return nil
}

// write writes rules into a folder, as Prometheus reads them.
func write(t *testing.T, dir string, groups []any) (file string) {
	t.Helper()
	data, err := yaml.Marshal(map[string]any{"groups": groups})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "alerts.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// each calls a function with every rule.
func each(groups []any, f func(name string, rule map[string]any)) {
	for _, group := range groups {
		rules, _, _ := unstructured.NestedSlice(group.(map[string]any), "rules")
		for _, r := range rules {
			rule := r.(map[string]any)
			name, _, _ := unstructured.NestedString(rule, "alert")
			f(name, rule)
		}
	}
}

// Alerts fire on what they are about, and not on a good day: testdata/alerts.yaml tells the days. It names summaries
// and leaves the longer annotations out, as promtool compares all that there are.
func TestAlerts(t *testing.T) {
	t.Parallel()
	dir, groups := t.TempDir(), alerts(t, "everything")
	mustRun(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", write(t, dir, groups))
	short := make([]any, len(groups))
	for i, group := range groups {
		short[i] = runtime.DeepCopyJSONValue(group)
		rules, _, _ := unstructured.NestedSlice(short[i].(map[string]any), "rules")
		for _, rule := range rules {
			unstructured.RemoveNestedField(rule.(map[string]any), "annotations", "description")
			unstructured.RemoveNestedField(rule.(map[string]any), "annotations", "runbook")
		}
		if err := unstructured.SetNestedSlice(short[i].(map[string]any), rules, "rules"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, short)
	days, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests := filepath.Join(dir, "tests.yaml")
	if err := os.WriteFile(tests, days, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, promtool, "test", "rules", tests); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// An alert without a word about what to do only wakes somebody up.
func TestEveryAlertSaysWhatToDo(t *testing.T) {
	t.Parallel()
	days, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	each(alerts(t, "cluster-wide"), func(name string, rule map[string]any) {
		for _, annotation := range []string{"summary", "description", "runbook"} {
			if text, _, _ := unstructured.NestedString(rule, "annotations", annotation); strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", name, annotation)
			}
		}
		if severity, _, _ := unstructured.NestedString(rule, "labels", "severity"); severity != "warning" && severity != "critical" {
			t.Errorf("%s has the severity %q", name, severity)
		}
		if !regexp.MustCompile(`alertname: ` + name + `\n\s+eval_time: \w+\n\s+exp_alerts:\n`).Match(days) {
			t.Errorf("no day in testdata/alerts.yaml has %s fire", name)
		}
	})
}

// Metrics of libraries that alerts or the dashboard read.
var othersMetrics = map[string]bool{
	"up":                                 true, // Prometheus's own
	"process_resident_memory_bytes":      true,
	"controller_runtime_reconcile_total": true,
	"controller_runtime_reconcile_errors_total":        true,
	"controller_runtime_reconcile_time_seconds_bucket": true,
	"leader_election_master_status":                    true,
	"rest_client_requests_total":                       true,
}

// What alerts and the dashboard read is what the code counts: a name that was mistyped, or changed there, would read
// nothing for ever.
func TestMetricsAreTheCodes(t *testing.T) {
	t.Parallel()
	counted := metricsOfTheCode(t)
	if len(counted) < 15 {
		t.Fatalf("found only %v", counted)
	}
	dashboard, err := os.ReadFile(chart + "/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var panels struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &panels); err != nil {
		t.Fatal(err)
	}
	read := map[string]string{} // expressions, by where
	for _, p := range panels.Panels {
		for _, target := range p.Targets {
			read["the dashboard's "+p.Title+": "+target.Expr] = target.Expr
		}
	}
	each(alerts(t, "cluster-wide"), func(name string, rule map[string]any) {
		read["the alert "+name], _, _ = unstructured.NestedString(rule, "expr")
	})
	var recorded []any
	for _, p := range panels.Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$namespace", ".*", "$install", ".*", "$inbox", ".*").Replace(target.Expr)
			recorded = append(recorded, map[string]any{"record": fmt.Sprintf("dashboard:panel_%d", len(recorded)), "expr": expr})
		}
	}
	mustRun(t, promtool, "check", "rules", write(t, t.TempDir(), []any{map[string]any{"name": "dashboard", "rules": recorded}}))
	if len(read) < 30 {
		t.Fatalf("only %d expressions", len(read))
	}
	selector := regexp.MustCompile(`([a-z_:]+)\{`)
	for where, expr := range read {
		names := selector.FindAllStringSubmatch(expr, -1)
		if len(names) == 0 {
			t.Errorf("%s: no selector in %s", where, expr)
		}
		for _, m := range names {
			name := m[1]
			base := name
			for _, ending := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, ending)
			}
			if !counted[name] && !counted[base] && !othersMetrics[name] {
				t.Errorf("%s: nobody counts %s", where, name)
			}
		}
	}
}

// metricsOfTheCode are the names in it that look like metrics, outside its tests.
func metricsOfTheCode(t *testing.T) map[string]bool {
	t.Helper()
	name := regexp.MustCompile(`^socialops_[a-z_]+$`)
	names := map[string]bool{}
	for _, root := range []string{"../runtime", "../controllers"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil && name.MatchString(text) {
						names[text] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
