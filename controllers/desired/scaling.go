package desired

import (
	"cmp"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	autoscaling "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	policy "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

func autoscaled(in *v1alpha1.SocialOpsInstance) bool { return in.Spec.Autoscaling.MaxReplicas > 0 }

// leastReplicas is the number of pods that an instance has whatever the load.
func leastReplicas(in *v1alpha1.SocialOpsInstance) int32 {
	switch {
	case autoscaled(in):
		return max(1, in.Spec.Autoscaling.MinReplicas)
	case in.Spec.Replicas != nil:
		return *in.Spec.Replicas
	default:
		return 1
	}
}

// replicas is the Deployment's field; nil: it is left to whoever owns it.
func replicas(in *v1alpha1.SocialOpsInstance, f *Facts) *int32 {
	n := leastReplicas(in)
	switch {
	case in.Spec.Suspended():
		n = 0
	case autoscaled(in) && f.Replicas == nil:
		return nil
	case autoscaled(in):
		n = max(n, *f.Replicas)
	}
	return &n
}

// protected tells whether an instance has a PodDisruptionBudget: of one pod alone it
// would keep every node from being drained.
func protected(in *v1alpha1.SocialOpsInstance) bool {
	return !in.Spec.Suspended() && leastReplicas(in) >= 2
}

// disruptionBudget keeps no pod that doesn't serve anyway.
func disruptionBudget(in *v1alpha1.SocialOpsInstance) *policy.PodDisruptionBudgetApplyConfiguration {
	return policy.PodDisruptionBudget(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(policy.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(podSelector(in)))
}

func autoscaler(in *v1alpha1.SocialOpsInstance) *autoscaling.HorizontalPodAutoscalerApplyConfiguration {
	return autoscaling.HorizontalPodAutoscaler(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(autoscaling.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscaling.CrossVersionObjectReference().
				WithAPIVersion(kindDeployment.GroupVersion().String()).
				WithKind(kindDeployment.Kind).
				WithName(in.Name)).
			WithMinReplicas(leastReplicas(in)).
			WithMaxReplicas(in.Spec.Autoscaling.MaxReplicas).
			WithMetrics(autoscaling.MetricSpec().
				WithType(autoscalingv2.ResourceMetricSourceType).
				WithResource(autoscaling.ResourceMetricSource().
					WithName(v1.ResourceCPU).
					WithTarget(autoscaling.MetricTarget().
						WithType(autoscalingv2.UtilizationMetricType).
						WithAverageUtilization(cmp.Or(in.Spec.Autoscaling.TargetCPUUtilizationPercentage, 70))))))
}
