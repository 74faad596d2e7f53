package main

import (
	"context"
	"fmt"
	"strings"
)

// trialRelease is a release for its own namespace only, as somebody would have it who
// looks at the product for the first time.
var trialRelease = release{"trial", "trial"}

// proveTrial installs the chart with its trial database, with Roles instead of
// ClusterRoles, onto the CRDs that the main release left, and makes the
// specification's calls; then it takes everything away.
func (e *e2e) proveTrial(ctx context.Context) error {
	if err := e.kube.namespace(ctx, trialRelease.namespace); err != nil {
		return err
	}
	repository, tag, _ := strings.Cut(e.images.postgres, ":")
	values := fmt.Sprintf(`
database: {trial: {enabled: true, image: {repository: %s, tag: "%s"}}}
crds: {enabled: false} # they were the main release's, and an uninstall keeps them
`, repository, tag)
	if err := e.install(ctx, trialRelease, e.root, e.images.product, values); err != nil {
		return err
	}
	if err := e.kube.apply(ctx, trialRelease.namespace, instance("trial", "support", "")); err != nil {
		return err
	}
	in, err := e.open(ctx, trialRelease.namespace, "trial", "support")
	if err != nil {
		return err
	}
	if err := proveCalls(ctx, in, "trial"); err != nil {
		return err
	}
	if err := e.nothingClusterWide(ctx); err != nil {
		return err
	}
	if err := e.uninstall(ctx, trialRelease); err != nil {
		return err
	}
	if _, err := e.kube.kubectl(ctx, "get", "secret", "socialops-install", "socialops-worker", "socialops-trial-postgres", "--namespace", trialRelease.namespace); err != nil {
		return fmt.Errorf("the uninstall took the install's Secrets along: %w", err)
	}
	return e.kube.deleteNamespace(ctx, trialRelease.namespace, goneLimit)
}

// nothingClusterWide looks for what the trial release may do outside its namespace.
func (e *e2e) nothingClusterWide(ctx context.Context) error {
	out, err := e.kube.kubectl(ctx, "get", "clusterroles,clusterrolebindings", "--selector", "app.kubernetes.io/instance=trial", "--output", "name")
	for role := range strings.Lines(out) {
		// Secure metrics review tokens, which are the whole cluster's.
		if role = strings.TrimSpace(role); !strings.Contains(role, "metrics") {
			return fmt.Errorf("a release for one namespace has %s", role)
		}
	}
	return err
}
