package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// getInstance reads an instance.
func (e *e2e) getInstance(ctx context.Context, namespace, name string) (*v1alpha1.SocialOpsInstance, error) {
	var in v1alpha1.SocialOpsInstance
	if err := e.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &in); err != nil {
		return nil, fmt.Errorf("reading the instance %s/%s: %w", namespace, name, err)
	}
	return &in, nil
}

// instanceReady waits until an instance is ready as its manifest says now.
func (e *e2e) instanceReady(ctx context.Context, namespace, name string) error {
	return await(ctx, startLimit, fmt.Sprintf("the instance %s/%s to be ready", namespace, name), func(ctx context.Context) (string, error) {
		in, err := e.getInstance(ctx, namespace, name)
		if err != nil {
			return "", err
		}
		return notReady(in.Status.Conditions, in.Generation, in.Status.ObservedGeneration), nil
	})
}

// bindingReady waits until a binding is ready as its manifest says now.
func (e *e2e) bindingReady(ctx context.Context, namespace, name string) error {
	return await(ctx, startLimit, fmt.Sprintf("the binding %s/%s to be ready", namespace, name), func(ctx context.Context) (string, error) {
		var b v1alpha1.ChannelBinding
		if err := e.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &b); err != nil {
			return "", fmt.Errorf("reading the binding: %w", err)
		}
		return notReady(b.Status.Conditions, b.Generation, b.Status.ObservedGeneration), nil
	})
}

// instanceReason waits until a condition of an instance has one of some reasons.
func (e *e2e) instanceReason(ctx context.Context, namespace, name, kind string, reasons ...string) error {
	return await(ctx, 30*time.Second, fmt.Sprintf("%s of the instance %s/%s to say %v", kind, namespace, name, reasons), func(ctx context.Context) (string, error) {
		in, err := e.getInstance(ctx, namespace, name)
		if err != nil {
			return "", err
		}
		if c := meta.FindStatusCondition(in.Status.Conditions, kind); c != nil && slices.Contains(reasons, c.Reason) {
			return "", nil
		}
		return condition(in.Status.Conditions, kind), nil
	})
}

func notReady(conditions []metav1.Condition, generation, observed int64) string {
	switch {
	case observed != generation:
		return fmt.Sprintf("generation %d is not looked at yet, %d is", generation, observed)
	case !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady):
		return condition(conditions, v1alpha1.ConditionReady)
	}
	return ""
}

// open waits until an instance is ready and returns its inbox by its Service, with
// the key that was generated for it. A ready pod is known to the nodes' proxies only
// some moments later.
func (e *e2e) open(ctx context.Context, namespace, name, alias string) (*inbox, error) {
	if err := e.instanceReady(ctx, namespace, name); err != nil {
		return nil, err
	}
	in, err := e.getInstance(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	key, err := e.kube.secretValue(ctx, namespace, in.Status.KeySecretName, "key")
	if err != nil {
		return nil, err
	}
	i := inboxAt(e.dialer.client(e.authority.pool()), "http://"+name+"."+namespace+".svc", alias, key)
	return i, e.routed(ctx, i)
}

// instance is a small instance's manifest; more is added to its spec.
func instance(name, alias, more string) string {
	return fmt.Sprintf(`
apiVersion: socialops.dev/v1alpha1
kind: SocialOpsInstance
metadata: {name: %s}
spec:
  alias: %s
  owner: alice
%s`, name, alias, more)
}
