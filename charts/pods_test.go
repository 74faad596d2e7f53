package charts

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// A namespace that enforces the restricted Pod Security Standard takes every pod, as the API server's own checks tell.
// What the standard leaves open is closed too: no pod writes to its image, and none has a token that needs none.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	callers := map[string]bool{"operator": true, "console": true, "uninstall": true} // of the API server
	for name, file := range values(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := 0
			for _, o := range objects(t, template(t, "--values", file)) {
				pod := pods(t, o)
				if pod == nil {
					continue
				}
				seen++
				if result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec)); !result.Allowed {
					t.Errorf("%s: %s", key(o), result.ForbiddenDetail())
				}
				for _, c := range pod.Spec.Containers {
					if c.SecurityContext == nil || c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
						t.Errorf("%s: %s may write to its image", key(o), c.Name)
					}
				}
				token := pod.Spec.AutomountServiceAccountToken
				if want := callers[pod.Labels["app.kubernetes.io/component"]]; (token == nil || *token) != want {
					t.Errorf("%s: whether it has a token of the API server is %v, want %v", key(o), !want, want)
				}
			}
			if seen < 2 {
				t.Errorf("%d kinds of pods were looked at, want the operator's and the worker's at least", seen)
			}
		})
	}
}

// Whoever pauses the worker by hand has it paused after an upgrade, and no conflict on the way: what the chart doesn't
// set, Helm doesn't own.
func TestNothingIsSetThatPeopleSet(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		for _, o := range objects(t, template(t, "--values", file)) {
			for _, path := range [][]string{{"spec", "suspend"}, {"spec", "jobTemplate", "spec", "suspend"}} {
				if value, found, _ := unstructured.NestedFieldNoCopy(o.Object, path...); found {
					t.Errorf("%s: %s sets %v to %v", name, key(o), path, value)
				}
			}
		}
	}
}

// The one image serves every part, and runtimes run what the operator was told to be itself.
func TestEveryPartHasTheOneImage(t *testing.T) {
	t.Parallel()
	const image = "registry.example.com/open4x/socialops@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	seen := 0
	for _, o := range objects(t, template(t, "--values", values(t)["everything"])) {
		pod := pods(t, o)
		if pod == nil {
			continue
		}
		for _, c := range pod.Spec.Containers {
			seen++
			if c.Image != image {
				t.Errorf("%s runs %s", key(o), c.Image)
			}
			for _, e := range c.Env {
				if e.Name == "SOCIALOPS_IMAGE" && e.Value != image {
					t.Errorf("%s has runtimes run %s", key(o), e.Value)
				}
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d containers, want those of operator, worker, console and the uninstall's hook", seen)
	}
}
