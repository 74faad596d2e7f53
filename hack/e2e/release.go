package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// release is one installation of the chart.
type release struct{ name, namespace string }

// mainRelease is the one that nearly everything is proven on.
var mainRelease = release{"socialops", systemNamespace}

// install installs or upgrades a release with the chart and the image, and waits until
// it runs.
func (e *e2e) install(ctx context.Context, r release, sources, image, values string, more ...string) error {
	repository, tag, _ := strings.Cut(image, ":")
	args := append([]string{e.helm}, e.kube.flags("--kube-context")...)
	args = append(args, "upgrade", "--install", r.name, filepath.Join(sources, "charts", "socialops"), "--namespace", r.namespace,
		"--values", "-", "--set", "image.repository="+repository, "--set", "image.tag="+tag, "--wait", "--timeout", "3m")
	_, err := command{args: append(args, more...), input: strings.NewReader(values)}.output(ctx)
	return err
}

func (e *e2e) uninstall(ctx context.Context, r release) error {
	args := append([]string{e.helm}, e.kube.flags("--kube-context")...)
	_, err := command{args: append(args, "uninstall", r.name, "--namespace", r.namespace, "--wait", "--timeout", "3m")}.output(ctx)
	return err
}

// installed tells whether there is such a release.
func (e *e2e) installed(ctx context.Context, r release) bool {
	args := append([]string{e.helm}, e.kube.flags("--kube-context")...)
	_, err := command{args: append(args, "status", r.name, "--namespace", r.namespace)}.output(ctx)
	return err == nil
}

// mainValues are what an admin would write for a whole cluster, with a database of
// their own and people who sign in.
func (e *e2e) mainValues() string {
	return e.previousValues() + fmt.Sprintf(`
console:
  enabled: true
  oidc: {issuer: "%s", clientID: console, ca: {configMap: telegram-ca}} # the run has one authority
  exposure: {type: Ingress, host: %s}
`, issuerURL, consoleHost)
}

// previousValues are the same for the release before, which may know no console.
func (e *e2e) previousValues() string {
	return fmt.Sprintf(`
clusterWide: true
database:
  existingSecret: {name: database, key: url, directKey: url}
exposure: {host: %s, ingressClassName: socialops-e2e, allowedHosts: ["*.example.test"]}
telegram: {apiURL: "https://%s", ca: {configMap: telegram-ca}}
monitoring: {namespace: monitoring}
networkPolicy: {enabled: true}
`, publicHost, simulatorHost)
}

// installPrevious installs the release before this one.
func (e *e2e) installPrevious(ctx context.Context) error {
	if _, err := e.kube.kubectl(ctx, "create", "configmap", "telegram-ca", "--namespace", systemNamespace, "--from-literal=ca.crt="+e.authority.pem); err != nil {
		return err
	}
	return e.install(ctx, mainRelease, e.images.sources, e.images.previous, e.previousValues())
}
