package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// pods lists the pods of an instance.
func (e *e2e) pods(ctx context.Context, namespace, name string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := e.kube.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelInstance: name}); err != nil {
		return nil, fmt.Errorf("listing the pods of %s/%s: %w", namespace, name, err)
	}
	return pods.Items, nil
}
