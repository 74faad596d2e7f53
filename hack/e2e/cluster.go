package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cluster is where the product is proven.
type cluster interface {
	// up starts it, and returns the kubeconfig ("": the usual one) and the context in it.
	up(ctx context.Context) (kubeconfig, context string, err error)
	// load makes image archives known to its nodes.
	load(ctx context.Context, archives ...string) error
	// restart kills every container at once and starts the node's services anew;
	// leftOut where that can't be done.
	restart(ctx context.Context) error
	// direct tells whether this process reaches pods and Services at their own addresses.
	direct() bool
	// pulls tells whether its nodes get images from public registries.
	pulls() bool
	down(ctx context.Context) error
	String() string
}

// chooseCluster takes the one of E2E_CONTEXT if it is set, else kind where Docker
// runs, else a node of this machine's own.
func chooseCluster(ctx context.Context, root, dir string) (cluster, error) {
	if name := os.Getenv("E2E_CONTEXT"); name != "" {
		loader := os.Getenv("E2E_LOAD")
		if loader == "" {
			return nil, fmt.Errorf("E2E_CONTEXT is %s: set E2E_LOAD to a command that takes image archives (docker-archive tar files) as arguments "+
				"and makes their images known to the cluster, such as 'kind load image-archive' or 'minikube image load'", name)
		}
		return given{name: name, loader: strings.Fields(loader)}, nil
	}
	if _, err := exec.LookPath("kind"); err == nil {
		if _, err := (command{args: []string{"docker", "info"}}).output(ctx); err == nil {
			return kind{kubeconfig: filepath.Join(dir, "kubeconfig")}, nil
		}
	}
	return node{scripts: filepath.Join(root, "hack", "node")}, nil
}

// node is a node on this machine, built from source.
type node struct{ scripts string }

func (n node) String() string { return "a node on this machine, built from source" }
func (n node) direct() bool   { return true }
func (n node) pulls() bool    { return false }

func (n node) script(ctx context.Context, name string, args ...string) (string, error) {
	return command{loud: true, args: append([]string{filepath.Join(n.scripts, name)}, args...)}.output(ctx)
}

func (n node) up(ctx context.Context) (string, string, error) {
	out, err := n.script(ctx, "up.sh")
	return strings.TrimSpace(out), "socialops-node", err
}

func (n node) load(ctx context.Context, archives ...string) error {
	_, err := n.script(ctx, "load.sh", archives...)
	return err
}

func (n node) restart(ctx context.Context) error {
	_, err := n.script(ctx, "restart.sh")
	return err
}

func (n node) down(ctx context.Context) error {
	_, err := n.script(ctx, "down.sh")
	return err
}

// kind is a cluster of kind's, in a Docker container.
type kind struct{ kubeconfig string }

const kindName = "socialops-e2e"

func (k kind) String() string { return "a cluster of kind's" }
func (k kind) direct() bool   { return false }
func (k kind) pulls() bool    { return true }

func (k kind) up(ctx context.Context) (string, string, error) {
	// One that an earlier run left behind would refuse the name.
	if _, err := (command{args: []string{"kind", "delete", "cluster", "--name", kindName}}).output(ctx); err != nil {
		return "", "", err
	}
	_, err := command{args: []string{"kind", "create", "cluster", "--name", kindName, "--kubeconfig", k.kubeconfig, "--wait", "120s"}}.output(ctx)
	return k.kubeconfig, "kind-" + kindName, err
}

func (k kind) load(ctx context.Context, archives ...string) error {
	for _, archive := range archives {
		if _, err := (command{args: []string{"kind", "load", "image-archive", archive, "--name", kindName}}).output(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (k kind) restart(ctx context.Context) error {
	_, err := command{args: []string{"docker", "restart", "--time", "0", kindName + "-control-plane"}}.output(ctx)
	return err
}

func (k kind) down(ctx context.Context) error {
	_, err := command{args: []string{"kind", "delete", "cluster", "--name", kindName}}.output(ctx)
	return err
}

// given is a cluster that somebody named.
type given struct {
	name   string
	loader []string
}

func (g given) String() string { return "the cluster of context " + g.name }
func (g given) direct() bool   { return false }
func (g given) pulls() bool    { return os.Getenv("E2E_OFFLINE") == "" }

func (g given) up(context.Context) (string, string, error) {
	return os.Getenv("KUBECONFIG"), g.name, nil
}

func (g given) load(ctx context.Context, archives ...string) error {
	_, err := command{args: append(append([]string{}, g.loader...), archives...)}.output(ctx)
	return err
}

func (g given) restart(context.Context) error {
	return leftOut("the nodes of a given cluster are not ours to restart")
}

func (g given) down(context.Context) error { return nil }
