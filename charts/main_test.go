// Package charts tests the Helm chart and the kustomize tree that has to be equal to it, by the tools that people
// use: their binaries come from hack/tools.
package charts

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open4x/socialops/controllers"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

var update = flag.Bool("update", false, "write golden files anew")

var helm, kustomize, promtool string

const (
	chart   = "socialops"
	release = "socialops"
	home    = "socialops-system"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := findTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	controllers.SetGlobalLogger(slog.New(slog.DiscardHandler))
	pgtest.Main(kubetest.With(m, kubetest.Options{GatewayAPI: true}))
}

// findTools builds what isn't there yet, which takes minutes once.
func findTools() error {
	cmd := exec.CommandContext(context.Background(), "../hack/tools.sh", "helm", "kustomize", "promtool")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("building helm, kustomize and promtool: %w", err)
	}
	paths := strings.Fields(string(out))
	if len(paths) != 3 {
		return fmt.Errorf("hack/tools.sh printed %q, not three paths", out)
	}
	helm, kustomize, promtool = paths[0], paths[1], paths[2]
	return nil
}

// run runs a tool without any settings of the person who runs the tests.
func run(t *testing.T, tool string, args ...string) (stdout string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=/nonexistent"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", filepath.Base(tool), strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

func mustRun(t *testing.T, tool string, args ...string) string {
	t.Helper()
	out, err := run(t, tool, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// values are the cases of the chart's folder ci, by name.
func values(t *testing.T) map[string]string {
	t.Helper()
	const ending = "-values.yaml"
	files, err := filepath.Glob(chart + "/ci/*" + ending)
	if err != nil || len(files) == 0 {
		t.Fatalf("no values in %s/ci: %v", chart, err)
	}
	cases := map[string]string{}
	for _, file := range files {
		cases[strings.TrimSuffix(filepath.Base(file), ending)] = file
	}
	return cases
}

// template is what Helm would install, hooks included.
func template(t *testing.T, args ...string) string {
	t.Helper()
	return mustRun(t, helm, append([]string{"template", release, chart, "--namespace", home}, args...)...)
}
