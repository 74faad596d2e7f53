package project

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func states(conditions []metav1.Condition) string {
	var out []string
	for _, c := range conditions {
		out = append(out, c.Type+"="+string(c.Status)+"/"+c.Reason)
	}
	return strings.Join(out, " ")
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		verdicts []verdict
		want     string
	}{
		"all is well":            {[]verdict{yes("A", "Fine", ""), yes("B", "Fine", "")}, "Ready=True/Ready"},
		"a condition is missing": {[]verdict{yes("A", "Fine", "")}, "Ready=True/Ready"},
		"somebody has to act":    {[]verdict{yes("A", "Fine", ""), no("B", "AliasTaken", "x")}, "Ready=False/AliasTaken Stalled=True/AliasTaken"},
		"the first one counts":   {[]verdict{no("A", "ProviderUnavailable", "x"), no("B", "AliasTaken", "x")}, "Ready=False/ProviderUnavailable Reconciling=True/ProviderUnavailable"},
		"unknown is not ready":   {[]verdict{unknown("A", "Progressing", "x")}, "Ready=False/Progressing Reconciling=True/Progressing"},
		"asked not to be ready":  {[]verdict{no("A", "Inactive", "x")}, "Ready=False/Inactive"},
	} {
		got := Summarize(apply(nil, 1, now, c.verdicts...), 1, now, "ready", "A", "B")
		if diff := cmp.Diff(c.want, states(got[len(c.verdicts):])); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTransitionTimeChangesWithTheStatusOnly(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 123, time.UTC)
	first := apply(nil, 1, t0, no("A", "X", "one"))
	second := apply(first, 2, t0.Add(time.Hour), no("A", "Y", "two"))
	third := apply(second, 2, t0.Add(2*time.Hour), yes("A", "Z", "three"))
	if !second[0].LastTransitionTime.Equal(&first[0].LastTransitionTime) || second[0].Reason != "Y" || second[0].ObservedGeneration != 2 {
		t.Errorf("another reason: %+v", second[0])
	}
	if third[0].LastTransitionTime.Equal(&first[0].LastTransitionTime) {
		t.Error("another status kept the time")
	}
	if first[0].Reason != "X" {
		t.Error("apply changed what it was given")
	}
	if got := apply(third, 3, t0, absent("A")); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
}

func TestConditionsSurviveStorage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 123456, time.UTC)
	conditions := apply(nil, 1, now, yes("A", "X", "one"), no("B", "Y", "two"))
	stored := encode(conditions, []byte("[]"))
	if diff := cmp.Diff(conditions, decode(stored)); diff != "" {
		t.Error(diff)
	}
	reordered := []byte(strings.Replace(string(stored), `{"type"`, `{ "type"`, 1)) // as jsonb may write it
	if got := encode(conditions, reordered); string(got) != string(reordered) {
		t.Error("what means the same was written anew")
	}
	if got := string(encode(nil, nil)); got != "[]" {
		t.Errorf("no conditions are stored as %s", got)
	}
}
