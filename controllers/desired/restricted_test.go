package desired_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// A namespace that enforces the restricted Pod Security Standard takes the pods, as
// the API server's own checks tell.
func TestPodsMeetTheRestrictedStandard(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, name := range []string{"minimal", "pod-settings", "resources"} {
		in := manifest(t, name)
		var d struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		decode(t, find(t, objects(t, in, settings(), facts(in)), "Deployment", in.Name), &d)
		pod := d.Spec.Template
		check := func() policy.AggregateCheckResult {
			return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
		}
		if result := check(); !result.Allowed {
			t.Errorf("%s: %s", name, result.ForbiddenDetail())
		}
		pod.Spec.SecurityContext.RunAsNonRoot = nil
		if check().Allowed {
			t.Errorf("%s: a pod that may run as root is taken, so the checks check nothing", name)
		}
	}
}
