package controllers

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/open4x/socialops/api/v1alpha1"
)

// reporter is the name under which the operator reports Events.
const reporter = "socialops-operator"

// Reasons of Events that are no condition's.
const (
	eventObjects         = "ObjectsChanged"
	eventKeyRotated      = "KeyRotated"
	eventKeyReplaced     = "KeyReplaced"
	eventRoleReplaced    = "RoleReplaced"
	eventDataAbandoned   = "DataLeft"
	eventDataRemoval     = "DataRemoval"
	actionReconcile      = "Reconcile"
	actionDelete         = "Delete"
	noteLimit            = 1000 // bytes; the API server takes 1,024
	reasonOfUnknownReady = "Unknown"
)

// note is an Event to be.
type note struct{ kind, reason, action, text string }

func tell(recorder events.EventRecorder, about runtime.Object, n note) {
	text := n.text
	if len(text) > noteLimit {
		text = strings.ToValidUTF8(text[:noteLimit], "") + "…"
	}
	recorder.Eventf(about, nil, n.kind, n.reason, n.action, "%s", text)
}

// changes collects what was done to an instance's objects, for one Event.
type changes struct{ created, updated, deleted []string }

func (c *changes) add(what change, object string) {
	switch what {
	case created:
		c.created = append(c.created, object)
	case updated:
		c.updated = append(c.updated, object)
	case unchanged:
	}
}

// note is nil when nothing was done.
func (c *changes) note() *note {
	var parts []string
	for _, p := range []struct {
		did     string
		objects []string
	}{{"created", c.created}, {"updated", c.updated}, {"deleted", c.deleted}} {
		if len(p.objects) > 0 {
			parts = append(parts, p.did+" "+strings.Join(p.objects, ", "))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return &note{corev1.EventTypeNormal, eventObjects, actionReconcile, strings.Join(parts, "; ")}
}

// transitions are the Events of what changed between two states of an object: that it
// became ready or stopped being so, and what somebody has to act on.
func transitions(before, after []metav1.Condition) []note {
	var notes []note
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	stalled := meta.FindStatusCondition(after, v1alpha1.ConditionStalled)
	if is != nil && stalled == nil && (was == nil && is.Status == metav1.ConditionTrue || was != nil && was.Status != is.Status) {
		notes = append(notes, note{corev1.EventTypeNormal, is.Reason, actionReconcile, is.Message})
	}
	if stalled != nil {
		had := meta.FindStatusCondition(before, v1alpha1.ConditionStalled)
		if had == nil || had.Reason != stalled.Reason {
			notes = append(notes, note{corev1.EventTypeWarning, stalled.Reason, actionReconcile, stalled.Message})
		}
	}
	return slices.Clip(notes)
}

// object names an object in an Event, such as "Secret support-runtime".
func object(kind, name string) string { return fmt.Sprintf("%s %s", kind, name) }
