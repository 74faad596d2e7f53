// Command e2e proves the whole product on a real cluster: images built and loaded, the
// chart installed, the samples applied, the API called as the specification does,
// replies delivered by the CronJob's pods, things killed, edited, deleted, upgraded and
// uninstalled. `make e2e` runs it.
//
// The flow is in this file, from top to bottom; each thing that is proven has a file
// of its own. See cluster.go for where it runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: failed")
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
}

func run(ctx context.Context) (err error) {
	root := flag.String("root", ".", "folder of the repository")
	keep := flag.Bool("keep", false, "leave the cluster as it is in the end, to look at")
	flag.Parse()
	e, err := newE2E(ctx, *root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return err
	}
	defer e.table()
	e.say("on %s", e.cluster)
	defer func() {
		if err != nil {
			e.dump(ctx)
		}
		if *keep {
			e.say("the cluster is left as it is: %s", e.howToReach())
			return
		}
		// An interrupted run cleans up all the same.
		err = errors.Join(err, e.step(context.WithoutCancel(ctx), "clean up", e.cleanUp))
	}()
	return e.prove(ctx)
}

// prove is everything, in order. What stands in one call of together runs at the same time.
func (e *e2e) prove(ctx context.Context) error {
	if err := e.together(ctx,
		step{"cluster", e.startCluster},
		step{"images", e.buildImages},
		step{"helm", e.buildHelm},
	); err != nil {
		return err
	}
	if err := e.steps(ctx,
		step{"load the images", e.loadImages},
		step{"ingress controller, Telegram, identity provider, database", e.startSurroundings},
		step{"install the release before", e.installPrevious},
		step{"samples", e.applySamples},
		step{"calls through the Service", e.proveServiceCalls},
		step{"calls through the Ingress", e.proveIngressCalls},
		step{"upgrade under load", e.proveUpgrade},
	); err != nil {
		return err
	}
	// These keep out of each other's way: each has namespaces of its own.
	proofs := e.together(ctx,
		step{"60 replies over 3 minutes", e.proveReplies},
		step{"restricted pods, network policies", e.provePolicies},
		step{"console", e.proveConsole},
		step{"invalid manifests", e.proveInvalid},
		step{"self-healing", e.proveHealing},
		step{"deletion", e.proveDeletion},
	)
	// These disturb everything, so each is alone; and one that fails leaves what it
	// breaks to be looked at.
	if proofs != nil {
		return proofs
	}
	return e.steps(ctx,
		step{"a pod killed under load", e.proveKill},
		step{"the data plane restarted under load", e.proveRestart},
		step{"uninstall and return", e.proveUninstall},
		step{"a release for one namespace, on a trial database", e.proveTrial},
	)
}

// e2e is one run.
type e2e struct {
	*progress
	root      string // of the repository
	dir       string // for what the run makes
	manifests string
	run       string // tells this run's images from those of others

	cluster   cluster
	kube      *kube
	dialer    *dialer
	helm      string // path
	authority *authority
	images    images
	simulator *simulator

	support       *inbox // the sample's, by its Service
	supportPublic *inbox // the same, through the ingress controller
}

const (
	systemNamespace   = "socialops-system"
	databaseNamespace = "database"
	ingressNamespace  = "ingress"
	supportNamespace  = "support"
	publicHost        = "inbox.example.test"
	// startLimit is how long something may take to be ready, with an image that is there.
	startLimit = 90 * time.Second
)

func newE2E(ctx context.Context, root string) (*e2e, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("finding the repository: %w", err)
	}
	e := &e2e{
		progress: newProgress(os.Stdout), root: root, dir: filepath.Join(root, ".cache", "e2e"),
		manifests: filepath.Join(root, "hack", "e2e", "manifests"), run: fmt.Sprintf("e2e-%x", time.Now().Unix()),
	}
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the run's folder: %w", err)
	}
	if e.authority, err = newAuthority(time.Now()); err != nil {
		return nil, err
	}
	e.cluster, err = chooseCluster(ctx, root, e.dir)
	return e, err
}

// script runs one of the repository's scripts.
func (e *e2e) script(ctx context.Context, args ...string) (string, error) {
	args[0] = filepath.Join(e.root, "hack", args[0])
	return command{dir: e.root, loud: true, args: args}.output(ctx)
}

func (e *e2e) startCluster(ctx context.Context) error {
	kubeconfig, name, err := e.cluster.up(ctx)
	if err != nil {
		return err
	}
	program, err := e.kubectlPath(ctx)
	if err != nil {
		return err
	}
	if e.kube, err = newKube(kubeconfig, name, program); err != nil {
		return err
	}
	e.dialer = newDialer(e.kube, e.cluster.direct())
	return nil
}
