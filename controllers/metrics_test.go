package controllers

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// shelf answers lists of instances and bindings.
type shelf struct {
	client.Reader
	instances []v1alpha1.SocialOpsInstance
	bindings  []v1alpha1.ChannelBinding
}

func (s shelf) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch l := list.(type) {
	case *v1alpha1.SocialOpsInstanceList:
		l.Items = s.instances
	case *v1alpha1.ChannelBindingList:
		l.Items = s.bindings
	}
	return nil
}

func TestFleet(t *testing.T) {
	t.Parallel()
	ready := func(status metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
	}
	instance := func(c []metav1.Condition) v1alpha1.SocialOpsInstance {
		return v1alpha1.SocialOpsInstance{Status: v1alpha1.SocialOpsInstanceStatus{Conditions: c}}
	}
	leading := make(chan struct{})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&fleet{leading: leading, rollouts: &rollouts{}, reader: shelf{
		instances: []v1alpha1.SocialOpsInstance{instance(nil), instance(ready("True", "Ready")), instance(ready("True", "Ready")), instance(ready("False", "AliasTaken"))},
		bindings:  []v1alpha1.ChannelBinding{{Status: v1alpha1.ChannelBindingStatus{Conditions: ready("True", "Ready")}}},
	}})
	gather := func() map[string]float64 {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			for _, m := range f.Metric {
				name := f.GetName()
				for _, l := range m.Label {
					name += " " + l.GetValue()
				}
				out[name] = m.GetGauge().GetValue()
			}
		}
		return out
	}
	if got := gather(); len(got) > 0 {
		t.Errorf("a standby tells %v", got)
	}
	close(leading)
	want := map[string]float64{
		"socialops_instances True Ready": 2, "socialops_instances False AliasTaken": 1, "socialops_instances Unknown Unknown": 1,
		"socialops_channel_bindings True Ready": 1, "socialops_rollouts rolling": 0, "socialops_rollouts queued": 0,
	}
	if diff := cmp.Diff(want, gather()); diff != "" {
		t.Error(diff)
	}
}
