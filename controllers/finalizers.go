package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// namespaceTerminating tells whether a namespace is being deleted; false where that may not be read.
//
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
func namespaceTerminating(ctx context.Context, live client.Reader, namespace string) bool {
	ns := &corev1.Namespace{}
	err := live.Get(ctx, client.ObjectKey{Name: namespace}, ns)
	return err == nil && (ns.DeletionTimestamp != nil || ns.Status.Phase == corev1.NamespaceTerminating)
}
