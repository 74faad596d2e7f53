package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"

	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/dev/privatepg"
	"github.com/open4x/socialops/runtime/postgres"
)

// fleet is a cluster with a database of its own, and the operator as a process.
type fleet struct {
	b          *bench
	cluster    *kubetest.Cluster
	server     *privatepg.Server
	tenants    client.WithWatch // who applies instances
	operator   *process
	kubeconfig string
	settled    bool // the instances are there and at rest
	stopWork   func() error
}

const (
	fleetSystem     = "bench-system"
	fleetNamespaces = 10
	// fleetWorkers is how many instances the operator, and the client that it is compared
	// with, have in hand at a time.
	fleetWorkers = 4
	fleetImage   = "ghcr.io/open4x/socialops@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	fleetHost    = "inbox.example.com"
)

var operatorUser = kubetest.ServiceAccount(fleetSystem, "operator")

func fleetNamespace(n int) string { return fmt.Sprintf("bench-%d", n%fleetNamespaces) }

func (b *bench) newFleet(ctx context.Context) (_ *fleet, err error) {
	// What the client libraries would log is in the answers too.
	crlog.SetLogger(logr.FromSlogHandler(slog.DiscardHandler))
	f := &fleet{b: b, stopWork: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.cluster, err = kubetest.Start(ctx, kubetest.Options{Dir: b.dir}); err != nil {
		return f, err
	}
	f.tenants = f.cluster.Client
	for i := range fleetNamespaces + 1 {
		name := fleetNamespace(i)
		if i == fleetNamespaces {
			name = fleetSystem
		}
		if err := f.tenants.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return f, fmt.Errorf("making a namespace: %w", err)
		}
	}
	// What RBAC costs is the same whatever it allows.
	if err := f.tenants.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "bench"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:" + fleetSystem}},
	}); err != nil {
		return f, fmt.Errorf("making the role of the operator: %w", err)
	}
	file, err := f.cluster.Kubeconfig(operatorUser)
	if err != nil {
		return f, err
	}
	f.kubeconfig = filepath.Join(b.dir, "operator.kubeconfig")
	if err := os.WriteFile(f.kubeconfig, file, 0o600); err != nil {
		return f, fmt.Errorf("writing the operator's kubeconfig: %w", err)
	}
	f.server, err = privatepg.Start(ctx, privatepg.Options{Ephemeral: true, Dir: b.dir, Settings: map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB", "max_connections": "100",
	}})
	if err != nil {
		return f, fmt.Errorf("starting the operator's Postgres: %w", err)
	}
	return f, f.prepareDatabase(ctx)
}

func (f *fleet) prepareDatabase(ctx context.Context) error {
	super, err := postgres.Open(ctx, f.server.DSN(privatepg.Superuser, "postgres"), 1)
	if err != nil {
		return err
	}
	defer super.Close()
	for _, sql := range []string{"CREATE ROLE " + ownerRole + " LOGIN CREATEROLE", "CREATE DATABASE " + database + " OWNER " + ownerRole} {
		if _, err := super.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// close is also for a fleet that is only half there.
func (f *fleet) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errs := []error{f.stopWork(), f.stopOperator()}
	if f.cluster != nil {
		errs = append(errs, f.cluster.Stop())
	}
	if f.server != nil {
		errs = append(errs, f.server.Stop(ctx))
	}
	if f.kubeconfig != "" {
		errs = append(errs, os.Remove(f.kubeconfig))
	}
	return errors.Join(errs...)
}

// startOperator starts the operator as it is run in production, but for its ports, and
// follows its memory from its start.
func (f *fleet) startOperator(ctx context.Context) (*memory, error) {
	metrics, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	p, err := f.b.spawn(ctx, []string{
		"KUBECONFIG=" + f.kubeconfig, "DATABASE_URL=" + f.server.DSN(ownerRole, database), "POD_NAMESPACE=" + fleetSystem, "SOCIALOPS_IMAGE=" + fleetImage,
	}, "operator", "--workers", fmt.Sprint(fleetWorkers), "--default-host", fleetHost, "--metrics-insecure", "--metrics-listen", metrics)
	if err != nil {
		return nil, err
	}
	m := followMemory(p)
	if err := p.waitReady(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	f.operator = p
	return m, nil
}

func (f *fleet) stopOperator() error {
	if f.operator == nil {
		return nil
	}
	p := f.operator
	f.operator = nil
	return p.stop()
}

// settle has every instance at rest, with pods that count as ready.
func (b *bench) settle(ctx context.Context) (*fleet, error) {
	if b.fleet == nil {
		f, err := b.newFleet(ctx)
		if err != nil {
			return nil, err
		}
		b.fleet = f
		if _, err := f.startOperator(ctx); err != nil {
			return nil, err
		}
		if _, err := f.applyAll(ctx, 0, b.scale.instances); err != nil {
			return nil, err
		}
	}
	f := b.fleet
	if f.settled {
		return f, nil
	}
	f.runDeployments()
	b.say("  waiting for %d instances to be ready", b.scale.instances)
	if err := f.awaitReady(ctx, b.scale.instances); err != nil {
		return nil, err
	}
	f.settled = true
	return f, f.awaitQuiet(ctx)
}

// runDeployments plays the Deployment controller until the fleet is closed.
func (f *fleet) runDeployments() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&kubetest.Deployments{}).Run(ctx, f.cluster.Config) }()
	f.stopWork = func() error {
		cancel()
		f.stopWork = func() error { return nil }
		return <-ended
	}
}

// How long the operator has written nothing when it counts as at rest, and how long
// that may take to come.
const (
	restAfter  = 10 * time.Second
	quietLimit = 5 * time.Minute
)

func (f *fleet) awaitQuiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, quietLimit)
	defer cancel()
	for {
		mark, err := f.cluster.Mark()
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the operator to be at rest: %w", context.Cause(ctx))
		case <-time.After(restAfter):
		}
		writes, err := f.cluster.Writes(ctx, operatorUser, mark)
		if err != nil {
			return err
		}
		if len(writes) == 0 {
			return nil
		}
	}
}

// as is a client of a user in the operator's group, whom the API server treats as it.
func (f *fleet) as(name string) (client.Client, error) {
	config, err := f.cluster.User(kubetest.ServiceAccount(fleetSystem, name))
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	c, err := client.New(config, client.Options{Scheme: kubetest.Scheme(), Mapper: f.tenants.RESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}
