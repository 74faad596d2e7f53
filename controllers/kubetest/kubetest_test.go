package kubetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// panicking has the test binary start a cluster of its own and panic.
const panicking = "KUBETEST_PANIC"

func TestMain(m *testing.M) {
	if os.Getenv(panicking) != "" {
		c, err := Start(context.Background(), Options{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(c.dir)
		go panic("a test's goroutine panics")
		select {}
	}
	Main(m)
}

// Whatever a test does, no server outlives it.
func TestServersEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), panicking+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err == nil || dir == "" || !strings.Contains(stderr.String(), "a test's goroutine panics") {
		t.Fatalf("the process ended with %v and said %s", err, stderr.String())
	}
	for deadline := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		_, err := os.Stat(dir)
		if left := naming(t, dir); os.IsNotExist(err) && len(left) == 0 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("left behind: %s (%v) and %v", dir, err, left)
		}
	}
}

// naming lists processes with a text among their arguments, where /proc tells.
func naming(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		if args, err := os.ReadFile(file); err == nil && bytes.Contains(args, []byte(text)) {
			found = append(found, string(bytes.ReplaceAll(args, []byte{0}, []byte(" "))))
		}
	}
	return found
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// A user may do what was granted, and every write of his is told.
func TestUsersAndTheirWrites(t *testing.T) {
	t.Parallel()
	env := New(t)
	other := env.NewNamespace(t)
	user := ServiceAccount(env.Namespace, "operator")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	config.UserAgent = "test/1"
	c, err := client.New(config, client.Options{Scheme: Scheme(), Mapper: env.Client.RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	mark, err := env.Mark()
	if err != nil {
		t.Fatal(err)
	}
	object := configMap("a")
	object.Namespace = env.Namespace
	if err := c.Create(t.Context(), object); !apierrors.IsForbidden(err) {
		t.Fatalf("a user without a role creates a ConfigMap: %v", err)
	}
	roles := env.Grant(t, user, []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "create", "patch"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
	}, env.Namespace)
	if err := c.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := c.List(t.Context(), &corev1.ConfigMapList{}, client.InNamespace(env.Namespace)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second changes nothing
		if err := c.Patch(t.Context(), object.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"data":{"a":"b"}}`))); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Create(t.Context(), &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: env.Namespace, Name: "leader"}}); err != nil {
		t.Fatal(err)
	}
	elsewhere := configMap("a")
	elsewhere.Namespace = other
	if err := c.Create(t.Context(), elsewhere); !apierrors.IsForbidden(err) {
		t.Errorf("a role of one namespace holds in another: %v", err)
	}
	writes, err := env.Writes(t.Context(), user, mark)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range writes {
		got = append(got, strings.ReplaceAll(w.String(), env.Namespace, "own"))
		if w.UserAgent != "test/1" || w.User != user || w.At.IsZero() {
			t.Errorf("%+v", w)
		}
	}
	want := []string{
		// What is refused is not read for the new object's name.
		"create configmaps own/: 403", "create configmaps own/a: 201", "patch configmaps own/a: 200", "patch configmaps own/a: 200",
		"create configmaps " + other + "/: 403",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	if err := env.Client.Delete(t.Context(), roles[0]); err != nil {
		t.Fatal(err)
	}
	env.AwaitAccess(t, user, env.Namespace, "", "configmaps", "create", false)
	if err := c.Create(t.Context(), configMapIn(env.Namespace, "b")); !apierrors.IsForbidden(err) {
		t.Errorf("what was taken back is still allowed: %v", err)
	}
}

func configMapIn(namespace, name string) *corev1.ConfigMap {
	m := configMap(name)
	m.Namespace = namespace
	return m
}

func TestAwait(t *testing.T) {
	t.Parallel()
	env := New(t)
	AwaitGone(t, env, configMap("a")) // it never was
	env.Apply(t, configMap("a"))
	done := make(chan error, 1)
	go func() {
		m := configMapIn(env.Namespace, "a")
		err := env.Client.Patch(t.Context(), m, client.RawPatch("application/merge-patch+json", []byte(`{"data":{"a":"b"}}`)))
		done <- err
	}()
	m := Await(t, env, configMap("a"), "has data", func(m *corev1.ConfigMap) bool { return m.Data["a"] == "b" })
	if err := <-done; err != nil || m.Namespace != env.Namespace {
		t.Fatal(err, m)
	}
	go func() { done <- env.Client.Delete(t.Context(), configMapIn(env.Namespace, "a")) }()
	AwaitGone(t, env, configMap("a"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A namespace goes with all that is in it, once nothing holds it back.
func TestDeleteNamespace(t *testing.T) {
	t.Parallel()
	env := New(t)
	held := configMap("held")
	held.Finalizers = []string{"example.com/held"}
	env.Apply(t, configMap("free"), held)
	before := env.Objects(t, env.Namespace)
	if len(before) != 2 {
		t.Fatalf("the namespace holds %v", before)
	}
	ended := make(chan error, 1)
	go func() {
		o := Await(t, env, configMap("held"), "is being deleted", func(m *corev1.ConfigMap) bool { return m.DeletionTimestamp != nil })
		ended <- env.Client.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`)))
	}()
	env.DeleteNamespace(t, env.Namespace)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`

func web() *appsv1.Deployment { return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}} }

func TestDeployments(t *testing.T) {
	t.Parallel()
	env := New(t)
	ready := make(chan bool, 10)
	ready <- false
	env.RunDeployments(t, func(*appsv1.Deployment) bool {
		select {
		case now := <-ready:
			return now
		default:
			return true
		}
	})
	env.Apply(t, Load(t, deployment)...)
	complete := func(d *appsv1.Deployment) bool {
		s := d.Status
		return s.ObservedGeneration == d.Generation && s.AvailableReplicas == *d.Spec.Replicas && s.UpdatedReplicas == *d.Spec.Replicas
	}
	first := Await(t, env, web(), "is deployed", complete)
	if first.Annotations[revisionAnnotation] != "1" {
		t.Errorf("the first revision is annotated %v", first.Annotations)
	}
	env.Apply(t, Load(t, strings.NewReplacer("image: web", "image: web:2", "replicas: 2", "replicas: 3").Replace(deployment))...)
	second := Await(t, env, web(), "is deployed anew", func(d *appsv1.Deployment) bool { return d.Generation > first.Generation && complete(d) })
	if second.Annotations[revisionAnnotation] != "2" {
		t.Errorf("the second revision is annotated %v", second.Annotations)
	}

	ctx, cancel := context.WithCancel(t.Context())
	flipped := make(chan error, 1)
	go func() {
		_, err := Flip(ctx, env.Config, env.Namespace, 50)
		flipped <- err
	}()
	third := Await(t, env, web(), "was flipped", func(d *appsv1.Deployment) bool {
		return d.ResourceVersion != second.ResourceVersion && strings.Contains(fmt.Sprint(d.Status.Conditions), "looked at 3 times")
	})
	cancel()
	if err := <-flipped; err != nil {
		t.Error(err)
	}
	if !sameStatus(&second.Status, &third.Status) || third.Generation != second.Generation || len(third.Status.Conditions) != 2 {
		t.Errorf("flipping changes what counts: %+v, was %+v", third.Status, second.Status)
	}
}

func TestGatewayAPI(t *testing.T) {
	t.Parallel()
	crds, err := definitions(t.Context(), Options{GatewayAPI: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(crds) != 3 || crds[2].Name != "httproutes.gateway.networking.k8s.io" {
		t.Errorf("%d definitions", len(crds))
	}
}
