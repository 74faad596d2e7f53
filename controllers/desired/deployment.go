package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// revisions are kept for `kubectl rollout undo` while somebody looks for what is wrong;
// thousands of instances would keep ten times as many ReplicaSets by default.
const revisions = 2

// deployment replaces pods one by one, each only when its successor serves, so that
// a rollout takes no capacity away. read is the hash of what its pods read.
func deployment(in *v1alpha1.SocialOpsInstance, s *Settings, f *Facts, image, read string) *apps.DeploymentApplyConfiguration {
	spec := apps.DeploymentSpec().
		WithRevisionHistoryLimit(revisions).
		WithSelector(podSelector(in)).
		WithStrategy(apps.DeploymentStrategy().
			WithType(appsv1.RollingUpdateDeploymentStrategyType).
			WithRollingUpdate(apps.RollingUpdateDeployment().
				WithMaxUnavailable(intstr.FromInt32(0)).
				WithMaxSurge(intstr.FromInt32(1)))).
		WithTemplate(podTemplate(in, s, image, read))
	if n := replicas(in, f); n != nil {
		spec.WithReplicas(*n)
	}
	return apps.Deployment(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(spec)
}
