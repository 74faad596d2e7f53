package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	var m memory
	name, now, key := types.NamespacedName{Namespace: "x", Name: "a"}, time.Unix(0, 0), objectKey{"Service", "a"}
	first := m.of(name, "uid-1")
	if m.of(name, "uid-1") != first || m.of(name, "uid-2") == first {
		t.Error("an instance is taken for another of its name")
	}
	r := m.of(name, "uid-2")
	o := metadataOf(kindSecret.GroupVersion().WithKind("Service"))
	o.ObjectMeta = metav1.ObjectMeta{Name: "a", UID: "object-1", ResourceVersion: "5"}
	r.put(key, &applied{hash: "h", uid: "object-1", version: "5", at: now})
	if !r.holds(key, "h", o, now) || !r.holds(key, "", o, now) || r.holds(key, "other", o, now) || !r.made(key, "object-1") || r.made(key, "object-2") {
		t.Error("what was applied is not remembered as it was")
	}
	if !r.lags(key, nil) || r.lags(key, o) {
		t.Error("the cache lags, or doesn't")
	}
	if !r.echo(key, o) {
		t.Error("what we did is news")
	}
	if o.ResourceVersion = "6"; r.echo(key, o) {
		t.Error("what somebody did is no news")
	}
	r.gone(key, "object-2", "6", now)
	if !r.made(key, "object-1") {
		t.Error("the deletion of another is taken for its own")
	}
	r.gone(key, "object-1", "4", now)
	if !r.made(key, "object-1") {
		t.Error("what left the cache and was brought back is forgotten")
	}
	// It is heard of before the apply is answered.
	r.gone(key, "object-1", "8", now)
	r.put(key, &applied{hash: "h", uid: "object-1", version: "7", at: now})
	if r.holds(key, "h", nil, now) {
		t.Error("what is gone is waited for")
	}
	r.put(key, &applied{hash: "h", uid: "object-1", version: "9", at: now})
	if !r.holds(key, "h", nil, now) {
		t.Error("what was brought back is not waited for")
	}
	r.gone(key, "object-4", "1", now.Add(2*buryFor))
	if len(r.buried) != 1 {
		t.Errorf("%d are remembered for ever", len(r.buried))
	}
	m.forget(name)
	if m.peek(name) != nil {
		t.Error("what is forgotten is remembered")
	}
}
