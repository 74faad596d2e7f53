package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// traefikService is where public host names lead.
var traefikService = client.ObjectKey{Namespace: ingressNamespace, Name: "traefik"}

// startSurroundings starts what the product meets in a cluster: an ingress controller,
// Telegram, who signs people in, and a database of the admin's own.
func (e *e2e) startSurroundings(ctx context.Context) error {
	for _, name := range []string{systemNamespace, databaseNamespace, ingressNamespace, simulatorNamespace, issuerNamespace, supportNamespace} {
		if err := e.kube.namespace(ctx, name); err != nil {
			return err
		}
	}
	if err := e.applyTraefik(ctx); err != nil { // its address is what the simulator knows the host by
		return err
	}
	return e.together(ctx,
		step{"ingress controller", func(ctx context.Context) error {
			return e.kube.rollout(ctx, ingressNamespace, "traefik", startLimit)
		}},
		step{"Telegram", e.startSimulator},
		step{"identity provider", e.startIssuer},
		step{"database", e.startDatabase},
	)
}

func (e *e2e) applyTraefik(ctx context.Context) error {
	cert, err := e.authority.issue(time.Now(), publicHost, "*.example.test")
	if err != nil {
		return err
	}
	if err := e.kube.secret(ctx, ingressNamespace, "traefik-tls", cert); err != nil {
		return err
	}
	manifest, err := readManifest(filepath.Join(e.manifests, "traefik.yaml"), map[string]string{"IMAGE": e.images.traefik, "NAMESPACE": ingressNamespace})
	if err != nil {
		return err
	}
	if err := e.kube.apply(ctx, ingressNamespace, manifest); err != nil {
		return err
	}
	e.dialer.alias(publicHost, traefikService)
	return nil
}

// startDatabase runs Postgres outside the release, and makes what an admin would: a
// database whose owner may create roles and is no superuser, and the Secret with its URL.
func (e *e2e) startDatabase(ctx context.Context) error {
	super, owner := rand.Text(), rand.Text()
	if err := e.kube.secret(ctx, databaseNamespace, "postgres", map[string]string{"password": super}); err != nil {
		return err
	}
	url := "postgres://socialops:" + owner + "@postgres." + databaseNamespace + ".svc:5432/socialops?sslmode=disable"
	if err := e.kube.secret(ctx, systemNamespace, "database", map[string]string{"url": url}); err != nil {
		return err
	}
	manifest, err := readManifest(filepath.Join(e.manifests, "database.yaml"), map[string]string{"IMAGE": e.images.postgres})
	if err != nil {
		return err
	}
	if err := e.kube.apply(ctx, databaseNamespace, manifest); err != nil {
		return err
	}
	if err := e.kube.rollout(ctx, databaseNamespace, "postgres", startLimit); err != nil {
		return err
	}
	_, err = e.sql(ctx, "postgres", "CREATE ROLE socialops LOGIN CREATEROLE PASSWORD '"+owner+"';\nCREATE DATABASE socialops OWNER socialops;\n")
	return err
}

// sql runs statements as the superuser, in the database's pod, and returns what they print.
func (e *e2e) sql(ctx context.Context, database, statements string) (string, error) {
	args := append([]string{e.kube.program}, e.kube.flags("--context")...)
	out, err := command{
		args: append(args, "exec", "--stdin", "--namespace", databaseNamespace, "deployment/postgres", "--",
			"psql", "--username=postgres", "--dbname="+database, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"),
		input: strings.NewReader(statements),
	}.output(ctx)
	return strings.TrimSpace(out), err
}

// clusterIP is a Service's address inside the cluster.
func (e *e2e) clusterIP(ctx context.Context, key client.ObjectKey) (string, error) {
	var s corev1.Service
	if err := e.kube.Get(ctx, key, &s); err != nil {
		return "", fmt.Errorf("looking for the Service %s: %w", key, err)
	}
	return s.Spec.ClusterIP, nil
}

// routed waits until the way to an inbox is known: to the nodes' proxies, to the
// ingress controller.
func (e *e2e) routed(ctx context.Context, in *inbox) error {
	return await(ctx, startLimit, in.base+" to lead to its inbox", func(ctx context.Context) (string, error) {
		a, err := in.call(ctx, http.MethodGet, "/inbox?limit=1", nil)
		if err != nil {
			return "", err
		}
		if a.status != http.StatusOK {
			return "it answers " + a.String(), nil
		}
		return "", nil
	})
}

// cleanUp removes what the run made.
func (e *e2e) cleanUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if e.dialer != nil {
		e.dialer.close()
	}
	var left error
	if _, isGiven := e.cluster.(given); isGiven && e.kube != nil {
		left = e.removeObjects(ctx)
	}
	return errors.Join(left, e.cluster.down(ctx))
}

// removeObjects leaves a given cluster as it was.
func (e *e2e) removeObjects(ctx context.Context) error {
	var namespaces corev1.NamespaceList
	if err := e.kube.List(ctx, &namespaces, client.MatchingLabels{ownLabel: "true"}); err != nil {
		return fmt.Errorf("looking for the run's namespaces: %w", err)
	}
	var left []error
	for _, r := range []release{mainRelease, trialRelease} {
		if e.installed(ctx, r) {
			left = append(left, e.uninstall(ctx, r))
		}
	}
	var steps []step
	for _, ns := range namespaces.Items {
		steps = append(steps, step{"delete the namespace " + ns.Name, func(ctx context.Context) error {
			return e.kube.deleteNamespace(ctx, ns.Name, time.Minute)
		}})
	}
	left = append(left, e.together(ctx, steps...))
	_, err := e.kube.kubectl(ctx, "delete", "--ignore-not-found", "ingressclass/socialops-e2e",
		"clusterrole/socialops-e2e-traefik", "clusterrolebinding/socialops-e2e-traefik",
		"crd/socialopsinstances.socialops.dev", "crd/channelbindings.socialops.dev")
	return errors.Join(append(left, err)...)
}

func (e *e2e) howToReach() string {
	if e.kube == nil {
		return "it did not start"
	}
	return "kubectl " + strings.Join(e.kube.flags("--context"), " ") + " get all --all-namespaces"
}
