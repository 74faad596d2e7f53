package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// verdict is one condition, before it is known since when it holds. A status of ""
// means that the condition is absent.
type verdict struct {
	kind    string
	status  metav1.ConditionStatus
	reason  string
	message string
}

func yes(kind, reason, format string, args ...any) verdict {
	return verdict{kind, metav1.ConditionTrue, reason, fmt.Sprintf(format, args...)}
}

func no(kind, reason, format string, args ...any) verdict {
	return verdict{kind, metav1.ConditionFalse, reason, fmt.Sprintf(format, args...)}
}

func unknown(kind, reason, format string, args ...any) verdict {
	return verdict{kind, metav1.ConditionUnknown, reason, fmt.Sprintf(format, args...)}
}

func absent(kind string) verdict { return verdict{kind: kind} }

// transient are the reasons that pass by themselves: nobody has to act.
var transient = []string{
	v1alpha1.ReasonProgressing, v1alpha1.ReasonDatabaseUnavailable, v1alpha1.ReasonSchemaTooOld, v1alpha1.ReasonProviderUnavailable,
	v1alpha1.ReasonInstanceNotReady, v1alpha1.ReasonRolloutQueued, v1alpha1.ReasonPodsUnavailable, v1alpha1.ReasonRouteNotAccepted,
}

// resting are the reasons for which an object is not ready because it was asked not to be.
var resting = []string{v1alpha1.ReasonSuspended, v1alpha1.ReasonInactive, v1alpha1.ReasonDeleting, v1alpha1.ReasonPaused}

// Apply puts verdicts into conditions. A condition's transition time changes with
// its status only.
func apply(conditions []metav1.Condition, generation int64, now time.Time, verdicts ...verdict) []metav1.Condition {
	conditions = slices.Clone(conditions)
	for _, v := range verdicts {
		if v.status == "" {
			meta.RemoveStatusCondition(&conditions, v.kind)
			continue
		}
		meta.SetStatusCondition(&conditions, metav1.Condition{
			Type: v.kind, Status: v.status, Reason: v.reason, Message: v.message,
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		})
	}
	return conditions
}

// Summarize sets Ready, Reconciling and Stalled from the conditions that Ready
// rests on, in the order of their importance. A condition that is absent is left out.
func Summarize(conditions []metav1.Condition, generation int64, now time.Time, ready string, restsOn ...string) []metav1.Condition {
	summary := yes(v1alpha1.ConditionReady, v1alpha1.ReasonReady, "%s", ready)
	for _, kind := range restsOn {
		c := meta.FindStatusCondition(conditions, kind)
		if c != nil && c.Status != metav1.ConditionTrue {
			summary = verdict{v1alpha1.ConditionReady, metav1.ConditionFalse, c.Reason, c.Message}
			break
		}
	}
	reconciling, stalled := absent(v1alpha1.ConditionReconciling), absent(v1alpha1.ConditionStalled)
	switch {
	case summary.status == metav1.ConditionTrue, slices.Contains(resting, summary.reason):
	case slices.Contains(transient, summary.reason):
		reconciling = yes(v1alpha1.ConditionReconciling, summary.reason, "%s", summary.message)
	default:
		stalled = yes(v1alpha1.ConditionStalled, summary.reason, "%s", summary.message)
	}
	return apply(conditions, generation, now, summary, reconciling, stalled)
}

// failureVerdict words a failure of the store.
func failureVerdict(kind string, err error) verdict {
	reason := v1alpha1.ReasonProgressing
	switch code := inbox.CodeOf(err); {
	case code == inbox.CodeUnavailable:
		reason = v1alpha1.ReasonDatabaseUnavailable
	case code == inbox.CodeForbidden:
		reason = v1alpha1.ReasonDatabasePrivileges
	case code == inbox.CodeConflict:
		reason = v1alpha1.ReasonSchemaTooOld
	case code == inbox.CodeUnprocessed:
		reason = v1alpha1.ReasonImageTooOld
	case errors.Is(err, errKeyGone):
		reason = v1alpha1.ReasonSecretMissing
	}
	return no(kind, reason, "%s", messageOf(err))
}

// messageOf is the part of an error that is for a person: its detail may hold what is not.
func messageOf(err error) string {
	if e, ok := errors.AsType[*inbox.Error](err); ok {
		return e.Message
	}
	return "an unexpected failure; see the log"
}

// decode reads conditions as they are stored. What can't be read is as good as none.
func decode(stored json.RawMessage) []metav1.Condition {
	var conditions []metav1.Condition
	if json.Unmarshal(stored, &conditions) != nil {
		return nil
	}
	for i := range conditions {
		conditions[i].LastTransitionTime = metav1.NewTime(conditions[i].LastTransitionTime.UTC())
	}
	return conditions
}

// encode is how conditions are stored; those that mean the same as before stay as they are.
func encode(conditions []metav1.Condition, before json.RawMessage) json.RawMessage {
	if same(decode(before), conditions) && len(before) > 0 {
		return before
	}
	if conditions == nil {
		conditions = []metav1.Condition{}
	}
	out, err := json.Marshal(conditions)
	if err != nil {
		return before // can't be: conditions are plain text
	}
	return out
}

func same(a, b []metav1.Condition) bool {
	return slices.EqualFunc(a, b, func(x, y metav1.Condition) bool {
		return x.Type == y.Type && x.Status == y.Status && x.Reason == y.Reason && x.Message == y.Message &&
			x.ObservedGeneration == y.ObservedGeneration && x.LastTransitionTime.Time.Equal(y.LastTransitionTime.Time)
	})
}
