package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// handoverManager owns a Deployment's spec.replicas from when the operator leaves it
// out of its apply until the HorizontalPodAutoscaler first changes it. Were nobody its
// owner then, the API server would reset it to 1.
const handoverManager = desired.FieldManager + "-handover"

// handOver sees to it that an autoscaled Deployment's number of pods is not the
// operator's, so that the next apply can leave it out. The number stays what it is, but
// for a Deployment without pods, as suspend left it: an autoscaler never scales up
// from 0.
func (r *instanceReconciler) handOver(ctx context.Context, in *v1alpha1.SocialOpsInstance, m *remembered, cached *appsv1.Deployment) error {
	stopped := cached.Spec.Replicas != nil && *cached.Spec.Replicas == 0
	if m.handedOver && !stopped {
		return nil
	}
	var live appsv1.Deployment
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(cached), &live); err != nil {
		return fmt.Errorf("reading the Deployment's owners: %w", err)
	}
	n := int32(1)
	if live.Spec.Replicas != nil {
		n = *live.Spec.Replicas
	}
	if n > 0 && !ownsReplicas(live.ManagedFields) {
		m.handedOver = true
		return nil
	}
	if n == 0 {
		n = max(1, in.Spec.Autoscaling.MinReplicas)
	}
	// With the version that was read, so that a number that changes meanwhile is not set back.
	data, err := json.Marshal(apps.Deployment(live.Name, live.Namespace).WithResourceVersion(live.ResourceVersion).WithSpec(apps.DeploymentSpec().WithReplicas(n)))
	if err != nil {
		return fmt.Errorf("encoding the number of pods: %w", err)
	}
	after := metadataOf(kindDeployment)
	after.Namespace, after.Name = live.Namespace, live.Name
	if err := r.client.Patch(ctx, after, client.RawPatch(types.ApplyPatchType, data), client.FieldOwner(handoverManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("handing the number of pods over: %w", err)
	}
	m.handedOver = true
	return nil
}

// ownsReplicas tells whether the operator owns spec.replicas, alone or with others.
func ownsReplicas(fields []metav1.ManagedFieldsEntry) bool {
	return slices.ContainsFunc(fields, func(e metav1.ManagedFieldsEntry) bool {
		if e.Manager != desired.FieldManager || e.Operation != metav1.ManagedFieldsOperationApply || e.Subresource != "" || e.FieldsV1 == nil {
			return false
		}
		return owns(e.FieldsV1, "spec", "replicas")
	})
}

func owns(fields *metav1.FieldsV1, path ...any) bool {
	var set fieldpath.Set
	if err := set.FromJSON(fields.GetRawReader()); err != nil {
		return false
	}
	p, err := fieldpath.MakePath(path...)
	return err == nil && set.Has(p)
}
