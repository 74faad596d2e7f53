package desired

import (
	"cmp"
	"strings"

	v1 "k8s.io/api/core/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// What a manifest sets on its pods: a closed list, each by its name in spec.pod.

func settingsOf(in *v1alpha1.SocialOpsInstance) *v1alpha1.PodSettings {
	if in.Spec.Pod == nil {
		return &v1alpha1.PodSettings{}
	}
	return in.Spec.Pod
}

func podLabels(in *v1alpha1.SocialOpsInstance) map[string]string {
	return texts(settingsOf(in).Labels)
}

func podAnnotations(in *v1alpha1.SocialOpsInstance) map[string]string {
	return texts(settingsOf(in).Annotations)
}

func texts[T ~string](m map[string]T) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}

// podEnv has a "$" doubled, since values are to be taken as they stand and the kubelet
// would expand $(NAME).
func podEnv(in *v1alpha1.SocialOpsInstance) []*corev1.EnvVarApplyConfiguration {
	var out []*corev1.EnvVarApplyConfiguration
	for _, e := range settingsOf(in).Env {
		value := ""
		if e.Value != nil {
			value = strings.ReplaceAll(*e.Value, "$", "$$")
		}
		out = append(out, env(e.Name, value))
	}
	return out
}

// schedule says where the pods run, and what they are pulled with.
func schedule(in *v1alpha1.SocialOpsInstance, spec *corev1.PodSpecApplyConfiguration) {
	p := settingsOf(in)
	spec.WithNodeSelector(texts(p.NodeSelector))
	for _, t := range p.Tolerations {
		spec.WithTolerations(toleration(t))
	}
	for _, t := range spreads(p) {
		spec.WithTopologySpreadConstraints(spread(in, t))
	}
	if p.PriorityClassName != "" {
		spec.WithPriorityClassName(p.PriorityClassName)
	}
	for _, secret := range p.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1.LocalObjectReference().WithName(secret.Name))
	}
}

func toleration(t v1alpha1.Toleration) *corev1.TolerationApplyConfiguration {
	out := corev1.Toleration().WithOperator(cmp.Or(v1.TolerationOperator(t.Operator), v1.TolerationOpEqual))
	if t.Key != "" {
		out.WithKey(t.Key)
	}
	if t.Value != nil {
		out.WithValue(string(*t.Value))
	}
	if t.Effect != "" {
		out.WithEffect(v1.TaintEffect(t.Effect))
	}
	if t.TolerationSeconds != nil {
		out.WithTolerationSeconds(*t.TolerationSeconds)
	}
	return out
}

// spreads are the manifest's, or else over nodes, where possible.
func spreads(p *v1alpha1.PodSettings) []v1alpha1.TopologySpread {
	if len(p.TopologySpread) > 0 {
		return p.TopologySpread
	}
	return []v1alpha1.TopologySpread{{TopologyKey: v1.LabelHostname}}
}

// spread counts the pods of one version only: those that a rollout is about to remove
// would skew the places of their successors.
func spread(in *v1alpha1.SocialOpsInstance, t v1alpha1.TopologySpread) *corev1.TopologySpreadConstraintApplyConfiguration {
	return corev1.TopologySpreadConstraint().
		WithTopologyKey(t.TopologyKey).
		WithMaxSkew(cmp.Or(t.MaxSkew, 1)).
		WithWhenUnsatisfiable(v1.UnsatisfiableConstraintAction(cmp.Or(t.WhenUnsatisfiable, v1alpha1.SpreadPolicy(v1.ScheduleAnyway)))).
		WithLabelSelector(podSelector(in)).
		WithMatchLabelKeys("pod-template-hash")
}
