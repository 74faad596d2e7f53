package desired

import (
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// serviceAccount has no token: a runtime has no business with the API server.
func serviceAccount(in *v1alpha1.SocialOpsInstance) *corev1.ServiceAccountApplyConfiguration {
	return corev1.ServiceAccount(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithAutomountServiceAccountToken(false)
}
