package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/open4x/socialops/api/v1alpha1"
)

// kube talks to the cluster: as users do, with kubectl, where something is applied,
// and with a client where something is looked at.
type kube struct {
	client.Client
	sets       *kubernetes.Clientset // for logs
	kubeconfig string
	context    string
	program    string // path of kubectl
}

// newKube connects to one context of a kubeconfig. Nothing is ever taken from the
// current context, which may be a cluster that others use.
func newKube(kubeconfig, name, program string) (*kube, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if kubeconfig != "" {
		rules.ExplicitPath = kubeconfig
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading context %q of the kubeconfig: %w", name, err)
	}
	config.QPS, config.Burst = 200, 400
	log.SetLogger(logr.Discard())
	config.WarningHandlerWithContext = rest.NoWarnings{}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("registering the API's types: %w", err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connecting to context %q: %w", name, err)
	}
	sets, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to context %q: %w", name, err)
	}
	return &kube{Client: c, sets: sets, kubeconfig: kubeconfig, context: name, program: program}, nil
}

// flags are what kubectl and, with another name for the second, helm are told.
func (k *kube) flags(contextFlag string) []string {
	flags := []string{contextFlag, k.context}
	if k.kubeconfig != "" {
		flags = append(flags, "--kubeconfig", k.kubeconfig)
	}
	return flags
}

// kubectl runs kubectl and returns what it printed.
func (k *kube) kubectl(ctx context.Context, args ...string) (string, error) {
	return command{args: append(append([]string{k.program}, k.flags("--context")...), args...)}.output(ctx)
}

// apply applies a manifest as `kubectl apply -f -` does.
func (k *kube) apply(ctx context.Context, namespace, manifest string) error {
	args := append([]string{k.program}, k.flags("--context")...)
	_, err := command{
		args: append(args, "apply", "--server-side", "--field-manager", "e2e", "--namespace", namespace, "-f", "-"), input: strings.NewReader(manifest),
	}.output(ctx)
	return err
}

// namespace makes a namespace that admits only pods that keep to the restricted Pod
// Security Standard, and marks it as the run's own.
func (k *kube) namespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		ownLabel: "true", "pod-security.kubernetes.io/enforce": "restricted",
	}}}
	if err := k.Create(ctx, ns); err != nil {
		return fmt.Errorf("making the namespace %s: %w", name, err)
	}
	return nil
}

// ownLabel marks what the run made in the cluster, and may remove.
const ownLabel = "socialops.dev/e2e"

// secret makes a Secret.
func (k *kube) secret(ctx context.Context, namespace, name string, data map[string]string) error {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
	if err := k.Create(ctx, s); err != nil {
		return fmt.Errorf("making the Secret %s/%s: %w", namespace, name, err)
	}
	return nil
}

// secretValue reads one key of a Secret.
func (k *kube) secretValue(ctx context.Context, namespace, name, key string) (string, error) {
	var s corev1.Secret
	if err := k.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
		return "", fmt.Errorf("reading the Secret %s/%s: %w", namespace, name, err)
	}
	if len(s.Data[key]) == 0 {
		return "", fmt.Errorf("the Secret %s/%s has no key %q", namespace, name, key)
	}
	return string(s.Data[key]), nil
}

// rollout waits until a Deployment runs what it should.
func (k *kube) rollout(ctx context.Context, namespace, name string, limit time.Duration) error {
	_, err := k.kubectl(ctx, "rollout", "status", "deployment/"+name, "--namespace", namespace, "--timeout", limit.String())
	return err
}

// gone waits until an object is no more.
func (k *kube) gone(ctx context.Context, o client.Object, limit time.Duration) error {
	what := fmt.Sprintf("%T %s/%s to be gone", o, o.GetNamespace(), o.GetName())
	return await(ctx, limit, what, func(ctx context.Context) (string, error) {
		err := k.Get(ctx, client.ObjectKeyFromObject(o), o)
		switch {
		case apierrors.IsNotFound(err):
			return "", nil
		case err != nil:
			return "", err
		}
		return fmt.Sprintf("it is there, deleted at %s, with finalizers %v", o.GetDeletionTimestamp(), o.GetFinalizers()), nil
	})
}

// deleteNamespace deletes a namespace and waits until it is gone.
func (k *kube) deleteNamespace(ctx context.Context, name string, limit time.Duration) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := k.Delete(ctx, ns); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting the namespace %s: %w", name, err)
	}
	return await(ctx, limit, "the namespace "+name+" to be gone", func(ctx context.Context) (string, error) {
		switch err := k.Get(ctx, client.ObjectKeyFromObject(ns), ns); {
		case apierrors.IsNotFound(err):
			return "", nil
		case err != nil:
			return "", err
		}
		var left []string
		for _, c := range ns.Status.Conditions {
			if c.Status == corev1.ConditionTrue {
				left = append(left, c.Message)
			}
		}
		return "terminating " + strings.Join(left, "; "), nil
	})
}

// condition tells a condition of an object in a line.
func condition(conditions []metav1.Condition, kind string) string {
	c := meta.FindStatusCondition(conditions, kind)
	if c == nil {
		return kind + " is not told"
	}
	return fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
}

// readManifest reads a manifest of the repository and fills in what differs from run to run.
func readManifest(path string, values map[string]string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading a manifest: %w", err)
	}
	for name, value := range values {
		b = bytes.ReplaceAll(b, []byte("${"+name+"}"), []byte(value))
	}
	return string(b), nil
}
