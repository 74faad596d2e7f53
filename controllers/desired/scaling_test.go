package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/api/v1alpha1"
)

func TestScaling(t *testing.T) {
	t.Parallel()
	n := func(i int32) *int32 { return &i }
	auto := func(least, most int32) v1alpha1.Autoscaling {
		return v1alpha1.Autoscaling{MinReplicas: least, MaxReplicas: most}
	}
	type shape struct {
		Replicas    *int32
		HPA, PDB    bool
		Least, Most int32 // of the HPA
	}
	for name, c := range map[string]struct {
		replicas *int32
		auto     v1alpha1.Autoscaling
		suspend  bool
		live     *int32
		want     shape
	}{
		"by default":                     {want: shape{Replicas: n(1)}},
		"one":                            {replicas: n(1), want: shape{Replicas: n(1)}},
		"two":                            {replicas: n(2), want: shape{Replicas: n(2), PDB: true}},
		"live ones count for nothing":    {replicas: n(2), live: n(5), want: shape{Replicas: n(2), PDB: true}},
		"suspended":                      {replicas: n(3), suspend: true, want: shape{Replicas: n(0)}},
		"autoscaled from one":            {auto: auto(1, 4), want: shape{HPA: true, Least: 1, Most: 4}},
		"autoscaled from two":            {auto: auto(2, 4), want: shape{HPA: true, PDB: true, Least: 2, Most: 4}},
		"minimum left out":               {auto: auto(0, 4), want: shape{HPA: true, Least: 1, Most: 4}},
		"handed over":                    {auto: auto(2, 4), live: n(3), want: shape{Replicas: n(3), HPA: true, PDB: true, Least: 2, Most: 4}},
		"handed over after a suspend":    {auto: auto(2, 4), live: n(0), want: shape{Replicas: n(2), HPA: true, PDB: true, Least: 2, Most: 4}},
		"autoscaled and suspended":       {auto: auto(2, 4), suspend: true, want: shape{Replicas: n(0)}},
		"suspended with pods still live": {auto: auto(2, 4), suspend: true, live: n(4), want: shape{Replicas: n(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := manifest(t, "minimal")
			in.Spec.Replicas, in.Spec.Autoscaling, in.Spec.Suspend = c.replicas, c.auto, &c.suspend
			f := facts(in)
			f.Replicas = c.live
			var got shape
			for _, o := range objects(t, in, settings(), f) {
				switch o.GVK.Kind {
				case "Deployment":
					var d struct{ Spec struct{ Replicas *int32 } }
					decode(t, o, &d)
					got.Replicas = d.Spec.Replicas
				case "HorizontalPodAutoscaler":
					var h struct {
						Spec struct{ MinReplicas, MaxReplicas int32 }
					}
					decode(t, o, &h)
					got.HPA, got.Least, got.Most = true, h.Spec.MinReplicas, h.Spec.MaxReplicas
				case "PodDisruptionBudget":
					got.PDB = true
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An autoscaler's target is what the manifest says, or 70 percent.
func TestAutoscalerTarget(t *testing.T) {
	t.Parallel()
	for given, want := range map[int32]int{0: 70, 55: 55} {
		in := manifest(t, "autoscaling")
		in.Spec.Autoscaling.TargetCPUUtilizationPercentage = given
		var h struct {
			Spec struct {
				Metrics []struct {
					Resource struct {
						Name   string
						Target struct{ AverageUtilization int }
					}
				}
			}
		}
		decode(t, find(t, objects(t, in, settings(), facts(in)), "HorizontalPodAutoscaler", in.Name), &h)
		if len(h.Spec.Metrics) != 1 || h.Spec.Metrics[0].Resource.Target.AverageUtilization != want {
			t.Errorf("%d: %+v", given, h)
		}
	}
}
