package controllers

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

func TestValidPassword(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{
		"": false, "short": false, "sixteen-letters!": true, rand.Text() + rand.Text(): true,
		"with a blank in between": false, "ümläuts-are-refused": false, "a-line\nbreak-within": false, strings.Repeat("x", 257): false,
	} {
		if got := validPassword(password); got != want {
			t.Errorf("%q: %v", password, got)
		}
	}
}

func TestMissingFor(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	since := func(d time.Duration) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionKeysReady, Status: metav1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-d))}}
	}
	for name, c := range map[string]struct {
		conditions []metav1.Condition
		want       time.Duration
	}{
		"just now":   {nil, 2 * time.Second},
		"a minute":   {since(time.Minute), 15 * time.Second},
		"for an age": {since(time.Hour), retryMissing},
	} {
		if got := missingFor(c.conditions, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestJitterIsSpreadAndFixed(t *testing.T) {
	t.Parallel()
	a, b := jitter("5d1b3c1e-0001", time.Hour), jitter("5d1b3c1e-0002", time.Hour)
	if a == b || a != jitter("5d1b3c1e-0001", time.Hour) || a < 0 || a >= time.Hour {
		t.Errorf("%v, %v", a, b)
	}
}
