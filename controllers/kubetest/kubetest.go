// Package kubetest gives each test namespaces of its own on one real API server for
// the whole package, so that tests run in parallel on the real thing: etcd and
// kube-apiserver, and no controller but those that a test runs.
//
//	func TestMain(m *testing.M) { kubetest.Main(m) }                    // or, with Postgres,
//	func TestMain(m *testing.M) { pgtest.Main(kubetest.With(m)) }
//
//	func TestX(t *testing.T) {
//		t.Parallel()
//		env := kubetest.New(t)
//		env.Apply(t, kubetest.Load(t, manifest)...)
//		kubetest.Await(t, env, &appsv1.Deployment{…}, "has two replicas", func(d *appsv1.Deployment) bool { … })
//	}
//
// Benchmarks, which have no testing.M, call [Start].
package kubetest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Runner is a [testing.M], or what wraps one.
type Runner interface{ Run() int }

var (
	shared   *Cluster
	sequence atomic.Int64
)

// Main starts the package's API server, runs the tests and stops it. It is stopped
// too when a test panics.
func Main(m Runner, o ...Options) {
	os.Exit(With(m, o...).Run())
}

// With is a run of tests with an API server, for another package's Main.
func With(m Runner, o ...Options) Runner {
	if len(o) == 0 {
		o = []Options{{}}
	}
	return run{m, o[0]}
}

type run struct {
	tests   Runner
	options Options
}

func (r run) Run() int {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	if shared, err = Start(ctx, r.options); err != nil {
		fmt.Fprintln(os.Stderr, "starting the tests' API server:", err)
		return 1
	}
	defer func() {
		if err := shared.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the tests' API server:", err)
		}
	}()
	return r.tests.Run()
}

// Env is one test's part of a cluster.
type Env struct {
	*Cluster
	// Namespace is the test's own, and where objects belong that name none.
	Namespace string
}

// New gives the test a namespace. The package's TestMain must be [Main] or call [With].
func New(t testing.TB) *Env {
	t.Helper()
	if shared == nil {
		t.Fatal("the package's TestMain must call kubetest.Main, or kubetest.With")
	}
	e := &Env{Cluster: shared}
	e.Namespace = e.NewNamespace(t)
	return e
}

// NewServer makes an API server of the test's own, for tests that need another kind
// of cluster than their package's. It takes some ten seconds.
func NewServer(t testing.TB, o Options) *Env {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	e := &Env{Cluster: c}
	e.Namespace = e.NewNamespace(t)
	return e
}

// NewNamespace makes a further namespace. Namespaces go with the cluster: see
// [Env.DeleteNamespace].
func (e *Env) NewNamespace(t testing.TB) string {
	t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:        fmt.Sprintf("test-%d", sequence.Add(1)),
		Annotations: map[string]string{"test": t.Name()},
	}}
	if err := e.Client.Create(t.Context(), n); err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	return n.Name
}
