package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

func TestTransitions(t *testing.T) {
	t.Parallel()
	is := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "because"}
	}
	ready := is(v1alpha1.ConditionReady, "True", v1alpha1.ReasonReady)
	starting := is(v1alpha1.ConditionReady, "False", v1alpha1.ReasonProgressing)
	taken := []metav1.Condition{is(v1alpha1.ConditionReady, "False", v1alpha1.ReasonAliasTaken), is(v1alpha1.ConditionStalled, "True", v1alpha1.ReasonAliasTaken)}
	for name, c := range map[string]struct {
		before, after []metav1.Condition
		want          []string
	}{
		"it begins":             {nil, []metav1.Condition{starting}, nil},
		"it is ready":           {[]metav1.Condition{starting}, []metav1.Condition{ready}, []string{"Normal Ready"}},
		"ready at once":         {nil, []metav1.Condition{ready}, []string{"Normal Ready"}},
		"nothing":               {[]metav1.Condition{ready}, []metav1.Condition{ready}, nil},
		"it stops being ready":  {[]metav1.Condition{ready}, []metav1.Condition{starting}, []string{"Normal Progressing"}},
		"somebody has to act":   {[]metav1.Condition{starting}, taken, []string{"Warning AliasTaken"}},
		"somebody still has to": {taken, taken, nil},
		"it is over":            {taken, []metav1.Condition{ready}, []string{"Normal Ready"}},
		"ready, then stalled":   {[]metav1.Condition{ready}, taken, []string{"Warning AliasTaken"}},
	} {
		var got []string
		for _, n := range transitions(c.before, c.after) {
			got = append(got, n.kind+" "+n.reason)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	var c changes
	if c.add(unchanged, "Service a"); c.note() != nil {
		t.Error("nothing is worth an Event")
	}
	c.add(created, "Service a")
	c.add(created, "Secret b")
	c.add(updated, "Deployment a")
	c.deleted = append(c.deleted, "Ingress a")
	if got, want := c.note().text, "created Service a, Secret b; updated Deployment a; deleted Ingress a"; got != want {
		t.Error(got)
	}
}
