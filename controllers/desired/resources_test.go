package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/open4x/socialops/api/v1alpha1"
)

// compute are amounts, each empty for none.
func compute(cpu, memory string) *v1alpha1.ComputeResources {
	var c v1alpha1.ComputeResources
	for text, field := range map[string]**resource.Quantity{cpu: &c.CPU, memory: &c.Memory} {
		if text != "" {
			q := resource.MustParse(text)
			*field = &q
		}
	}
	return &c
}

func TestResources(t *testing.T) {
	t.Parallel()
	type shape struct{ Requests, Limits map[string]string }
	for name, c := range map[string]struct {
		own     *v1alpha1.Resources
		others  v1alpha1.Resources
		auto    bool
		want    shape
		goLimit string
	}{
		"none":       {want: shape{map[string]string{"cpu": "10m", "memory": "32Mi"}, map[string]string{"memory": "512Mi"}}, goLimit: "483183819"},
		"autoscaled": {auto: true, want: shape{map[string]string{"cpu": "100m", "memory": "32Mi"}, map[string]string{"memory": "512Mi"}}, goLimit: "483183819"},
		"autoscaled, with a request": {
			auto: true, own: &v1alpha1.Resources{Requests: compute("20m", "")},
			want: shape{map[string]string{"cpu": "20m", "memory": "32Mi"}, map[string]string{"memory": "512Mi"}}, goLimit: "483183819",
		},
		"autoscaled, with a smaller limit": {
			auto: true, own: &v1alpha1.Resources{Limits: compute("50m", "")},
			want: shape{map[string]string{"cpu": "50m", "memory": "32Mi"}, map[string]string{"cpu": "50m", "memory": "512Mi"}}, goLimit: "483183819",
		},
		"the operator's": {
			others: v1alpha1.Resources{Requests: compute("200m", "64Mi"), Limits: compute("1", "256Mi")},
			want:   shape{map[string]string{"cpu": "200m", "memory": "64Mi"}, map[string]string{"cpu": "1", "memory": "256Mi"}}, goLimit: "241591905",
		},
		"the operator's and autoscaled": {
			auto: true, others: v1alpha1.Resources{Requests: compute("200m", "")},
			want: shape{map[string]string{"cpu": "200m", "memory": "32Mi"}, map[string]string{"memory": "512Mi"}}, goLimit: "483183819",
		},
		"a limit below the default request": {
			own:  &v1alpha1.Resources{Limits: compute("5m", "16Mi")},
			want: shape{map[string]string{"cpu": "5m", "memory": "16Mi"}, map[string]string{"cpu": "5m", "memory": "16Mi"}}, goLimit: "15099489",
		},
		"a request above the default limit": {
			own:  &v1alpha1.Resources{Requests: compute("", "1Gi")},
			want: shape{map[string]string{"cpu": "10m", "memory": "1Gi"}, map[string]string{"memory": "1Gi"}}, goLimit: "966367638",
		},
		"a limit beyond all memory": {
			own:  &v1alpha1.Resources{Limits: compute("", "999999999999999Ti")},
			want: shape{map[string]string{"cpu": "10m", "memory": "32Mi"}, map[string]string{"memory": "9223372036854775807"}}, // the most that a quantity holds
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, s := manifest(t, "minimal"), settings()
			in.Spec.Resources, s.Resources = c.own, c.others
			if c.auto {
				in.Spec.Autoscaling = v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 4}
			}
			list := objects(t, in, s, facts(in))
			var d struct {
				Spec struct {
					Template struct {
						Spec struct {
							Containers []struct{ Resources shape }
						}
					}
				}
			}
			decode(t, find(t, list, "Deployment", in.Name), &d)
			if diff := cmp.Diff(c.want, d.Spec.Template.Spec.Containers[0].Resources); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var config struct{ Data map[string]string }
			decode(t, find(t, list, "ConfigMap", in.Name), &config)
			if got := config.Data["GOMEMLIMIT"]; got != c.goLimit {
				t.Errorf("GOMEMLIMIT is %s, want %s", got, c.goLimit)
			}
		})
	}
}
