package desired

import (
	metav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// FieldManager is the name under which the operator applies.
const FieldManager = "socialops-operator"

// Labels by which the operator knows what it made.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "socialops-operator"
)

const (
	labelName      = "app.kubernetes.io/name"
	labelInstance  = "app.kubernetes.io/instance"
	labelComponent = "app.kubernetes.io/component"
)

// Selector selects an instance's pods. A Deployment's selector can't be changed, so
// neither can this.
func Selector(in *v1alpha1.SocialOpsInstance) map[string]string {
	return map[string]string{labelName: "socialops", labelInstance: in.Name, labelComponent: "runtime"}
}

// Labels are on everything that an instance owns, its pods included.
func Labels(in *v1alpha1.SocialOpsInstance) map[string]string {
	labels := Selector(in)
	labels[LabelManagedBy] = ManagedBy
	labels[v1alpha1.LabelInstance] = in.Name
	return labels
}

func podSelector(in *v1alpha1.SocialOpsInstance) *metav1.LabelSelectorApplyConfiguration {
	return metav1.LabelSelector().WithMatchLabels(Selector(in))
}

// owner has the objects deleted with their instance, and marks them as its own.
func owner(in *v1alpha1.SocialOpsInstance) *metav1.OwnerReferenceApplyConfiguration {
	return metav1.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind(v1alpha1.KindSocialOpsInstance).
		WithName(in.Name).
		WithUID(in.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}
