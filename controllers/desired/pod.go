package desired

import (
	"path"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

const (
	container     = "runtime"
	secretVolume  = "secret"
	secretPath    = "/var/run/socialops/secret"
	secretMode    = 0o440 // for the pods' group, which fsGroup makes the files'
	nonroot       = 65532 // user and group of the image
	drain         = "10s" // until routers have noticed that the pod is ending
	endAfter      = 60    // seconds: the drain, then at most 20 for requests under way and 20 for the last spans
	probeFailures = 3
)

// podTemplate is what an instance's pods are made from. It meets the restricted Pod
// Security Standard.
func podTemplate(in *v1alpha1.SocialOpsInstance, s *Settings, image, read string) *corev1.PodTemplateSpecApplyConfiguration {
	spec := corev1.PodSpec().
		WithServiceAccountName(in.Name).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false). // which would be variables that depend on what else is in the namespace
		WithTerminationGracePeriodSeconds(endAfter).
		WithSecurityContext(corev1.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(nonroot).
			WithRunAsGroup(nonroot).
			WithFSGroup(nonroot).
			WithSeccompProfile(corev1.SeccompProfile().WithType(v1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(runtimeContainer(in, s, image)).
		WithVolumes(corev1.Volume().
			WithName(secretVolume).
			WithSecret(corev1.SecretVolumeSource().
				WithSecretName(RuntimeSecretName(in)).
				WithDefaultMode(secretMode).
				WithItems(secretItems()...)))
	schedule(in, spec)
	return corev1.PodTemplateSpec().
		WithLabels(podLabels(in)).
		WithLabels(Labels(in)).
		WithAnnotations(podAnnotations(in)).
		WithAnnotations(map[string]string{v1alpha1.AnnotationConfigHash: read}).
		WithSpec(spec)
}

func secretItems() []*corev1.KeyToPathApplyConfiguration {
	var items []*corev1.KeyToPathApplyConfiguration
	for _, key := range mounted {
		items = append(items, corev1.KeyToPath().WithKey(key).WithPath(key))
	}
	return items
}

func runtimeContainer(in *v1alpha1.SocialOpsInstance, s *Settings, image string) *corev1.ContainerApplyConfiguration {
	return corev1.Container().
		WithName(container).
		WithImage(image).
		WithArgs("runtime", "--drain="+drain).
		WithEnvFrom(corev1.EnvFromSource().WithConfigMapRef(corev1.ConfigMapEnvSource().WithName(in.Name))).
		WithEnv(podEnv(in)...).
		WithEnv(
			env("DATABASE_URL_FILE", path.Join(secretPath, KeyURL)),
			env("SOCIALOPS_INSTANCE_KEY_FILE", path.Join(secretPath, KeyInstanceKey))).
		WithPorts(port(portHTTP, httpPort), port(portHealth, healthPort)).
		WithResources(resources(in, s)).
		WithSecurityContext(corev1.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(corev1.VolumeMount().WithName(secretVolume).WithMountPath(secretPath).WithReadOnly(true)).
		// A pod that starts while Postgres is away waits for it. It is given so long that the
		// kubelet's back-off has been forgotten by then: it is not kept waiting when Postgres
		// is back.
		WithStartupProbe(probe("/readyz", 1).WithFailureThreshold(600)).
		WithReadinessProbe(probe("/readyz", 5).WithFailureThreshold(probeFailures)).
		WithLivenessProbe(probe("/healthz", 10).WithFailureThreshold(2 * probeFailures)).
		// The last lines of the log say why a pod ended, for the instance's conditions.
		WithTerminationMessagePolicy(v1.TerminationMessageFallbackToLogsOnError)
}

func env(name, value string) *corev1.EnvVarApplyConfiguration {
	return corev1.EnvVar().WithName(name).WithValue(value)
}

func port(name string, number int32) *corev1.ContainerPortApplyConfiguration {
	return corev1.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(v1.ProtocolTCP)
}

// probe asks each so many seconds, and waits as long for an answer, at most 5.
func probe(path string, every int32) *corev1.ProbeApplyConfiguration {
	return corev1.Probe().
		WithHTTPGet(corev1.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(portHealth))).
		WithPeriodSeconds(every).
		WithTimeoutSeconds(min(every, 5))
}
