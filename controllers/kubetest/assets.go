package kubetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// assetsVariable names a folder of binaries, as everywhere where envtest is used.
const assetsVariable = "KUBEBUILDER_ASSETS"

const (
	builder = "hack/kubernetes.sh etcd kube-apiserver"
	built   = ".cache/kubernetes" // where the builder leaves them
)

// assets is the folder of the binaries etcd and kube-apiserver.
func assets() (string, error) {
	dir, hint := os.Getenv(assetsVariable), "which "+assetsVariable+" names"
	if dir == "" {
		root, err := repository()
		if err != nil {
			return "", fmt.Errorf("%w: set %s to the folder of etcd and kube-apiserver", err, assetsVariable)
		}
		dir, hint = filepath.Join(root, built), "build both with "+builder+" (some five minutes, once)"
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("there is no %s in %s: %s", name, dir, hint)
		}
	}
	return filepath.Abs(dir)
}

// repository is the folder of this module's go.mod, at or above the working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the repository: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/open4x/socialops\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the working directory is not in the repository")
		}
		dir = up
	}
}

// httpRouteCRD is the CustomResourceDefinition of Gateway API's HTTPRoute, from the
// module that the product is built with.
func httpRouteCRD(ctx context.Context) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return nil, fmt.Errorf("looking for the module of the Gateway API: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the definition of HTTPRoute: %w", err)
	}
	return data, nil
}
