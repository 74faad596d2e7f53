package desired

import (
	"cmp"
	"fmt"
	"strconv"

	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// configMap is the environment of an instance's pods that is no secret.
func configMap(in *v1alpha1.SocialOpsInstance, s *Settings) *corev1.ConfigMapApplyConfiguration {
	return corev1.ConfigMap(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithData(config(in, s))
}

func config(in *v1alpha1.SocialOpsInstance, s *Settings) map[string]string {
	env := map[string]string{
		"SOCIALOPS_ALIAS":      in.Spec.Alias,
		"SOCIALOPS_LOG_LEVEL":  cmp.Or(s.LogLevel, "info"),
		"SOCIALOPS_LOG_FORMAT": cmp.Or(s.LogFormat, "json"),
	}
	if limit, ok := goMemoryLimit(in, s); ok {
		env["GOMEMLIMIT"] = strconv.FormatInt(limit, 10)
	}
	if s.OTLPEndpoint != "" {
		env["OTEL_EXPORTER_OTLP_ENDPOINT"] = s.OTLPEndpoint
		env["OTEL_RESOURCE_ATTRIBUTES"] = fmt.Sprintf("k8s.namespace.name=%s,k8s.deployment.name=%s,socialops.alias=%s", in.Namespace, in.Name, in.Spec.Alias)
	}
	return env
}

// mounted are the keys of the runtime's Secret that pods see.
var mounted = []string{KeyURL, KeyInstanceKey}

// configHash changes when a pod that starts now would read something else than one
// that runs: pods read their environment and their Secret once. The Secret's values
// are random, so that the hash tells nothing about them.
func configHash(in *v1alpha1.SocialOpsInstance, s *Settings, f *Facts) (string, error) {
	read := struct {
		Config map[string]string
		Secret map[string][]byte
	}{config(in, s), map[string][]byte{}}
	for _, key := range mounted {
		read.Secret[key] = f.RuntimeSecret[key]
	}
	return hash(read)
}
