package controllers

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
	core "k8s.io/client-go/applyconfigurations/core/v1"
)

func TestWaits(t *testing.T) {
	t.Parallel()
	secret := map[string][]byte{"url": []byte("a")}
	want := func(image string, secret map[string][]byte) *apps.DeploymentApplyConfiguration {
		d := apps.Deployment("support", "x").WithSpec(apps.DeploymentSpec().WithTemplate(
			core.PodTemplateSpec().WithSpec(core.PodSpec().WithContainers(core.Container().WithImage(image)))))
		if err := stamp(d, secret); err != nil {
			t.Fatal(err)
		}
		return d
	}
	live := func(image string, replicas *int32) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Annotations: want(image, secret).Annotations}, Spec: appsv1.DeploymentSpec{Replicas: replicas},
		}
	}
	one := new(int32(1))
	for name, c := range map[string]struct {
		live   *appsv1.Deployment
		want   *apps.DeploymentApplyConfiguration
		looked bool
		waits  bool
	}{
		"the operator's image":     {live("v1", one), want("v2", secret), true, true},
		"a template nobody marked": {&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotationSecretHash: live("v1", one).Annotations[annotationSecretHash]}}}, want("v2", secret), true, true},
		"the same template":        {live("v1", one), want("v1", secret), true, false},
		"a new instance":           {nil, want("v2", secret), true, false},
		"the manifest changed too": {live("v1", one), want("v2", secret), false, false},
		"the Secret changed too":   {live("v1", one), want("v2", map[string][]byte{"url": []byte("b")}), true, false},
		"no pods run":              {live("v1", new(int32(0))), want("v2", secret), true, false},
	} {
		if got := waits(c.live, c.want, c.looked); got != c.waits {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRolling(t *testing.T) {
	t.Parallel()
	status := func(observed int64, total, updated, available int32, conditions ...appsv1.DeploymentCondition) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Generation: 2}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(2))},
			Status: appsv1.DeploymentStatus{ObservedGeneration: observed, Replicas: total, UpdatedReplicas: updated, AvailableReplicas: available, Conditions: conditions},
		}
	}
	failed := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"}
	for name, c := range map[string]struct {
		d    *appsv1.Deployment
		want bool
	}{
		"done":                     {status(2, 2, 2, 2), false},
		"not looked at yet":        {status(1, 2, 2, 2), true},
		"one pod is new":           {status(2, 3, 1, 2), true},
		"an old pod is left":       {status(2, 3, 2, 3), true},
		"a new pod is not there":   {status(2, 2, 2, 1), true},
		"stuck":                    {status(2, 3, 1, 2, failed), false},
		"stuck, and changed since": {status(1, 3, 1, 2, failed), true},
	} {
		if got := rolling(c.d); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRollouts(t *testing.T) {
	t.Parallel()
	name := func(s string) types.NamespacedName { return types.NamespacedName{Namespace: "x", Name: s} }
	names := func(list []types.NamespacedName) (s string) {
		for _, n := range list {
			s += n.Name
		}
		return s
	}
	r := &rollouts{limit: 2, seed: func() ([]types.NamespacedName, error) { return []types.NamespacedName{name("a")}, nil }}
	if got := r.settle(name("a"), false); got != nil { // before anybody asked, nobody counts
		t.Errorf("woke %v", got)
	}
	var log []string
	admit := func(s string) {
		t.Helper()
		ok, err := r.admit(name(s))
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, map[bool]string{true: s + " rolls", false: s + " waits"}[ok])
	}
	settle := func(s string, rolling bool) {
		t.Helper()
		log = append(log, s+" settles, wakes "+names(r.settle(name(s), rolling)))
	}
	admit("b") // a rolls still, from before
	admit("c")
	admit("d")
	admit("c") // asks again
	admit("b") // goes on
	settle("b", true)
	settle("a", false) // a place is free
	admit("c")
	settle("d", false) // wants no more
	admit("e")
	settle("b", false)
	settle("c", false)
	want := []string{
		"b rolls", "c waits", "d waits", "c waits", "b rolls", "b settles, wakes ", "a settles, wakes c", "c rolls",
		"d settles, wakes ", "e waits", "b settles, wakes e", "c settles, wakes e",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Error(diff)
	}
	if rolling, queued := r.count(); rolling != 0 || queued != 1 {
		t.Errorf("%d roll, %d wait", rolling, queued)
	}
}

// Without knowing who rolls nobody may.
func TestRolloutsUnknown(t *testing.T) {
	t.Parallel()
	r := &rollouts{limit: 2, seed: func() ([]types.NamespacedName, error) { return nil, errors.New("no") }}
	if ok, err := r.admit(types.NamespacedName{Name: "a"}); ok || err == nil {
		t.Errorf("%v, %v", ok, err)
	}
}
