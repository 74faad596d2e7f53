package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/postgres"
)

const (
	podsAsked = 5 // at most, for the reason why none serves
	// askAfter is how long pods may take to serve before anybody asks why they don't.
	askAfter = 10 * time.Second
	// askEvery is how often at most, while they don't.
	askEvery = 2 * time.Minute
)

// podsReady is the condition PodsReady of an instance whose Deployment is as it should
// be, but for the status of its pods.
func podsReady(d *appsv1.Deployment) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionPodsReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonProgressing}
	if d == nil {
		c.Message = "the Deployment is being made"
		return c
	}
	want, s := int32(1), &d.Status
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	switch {
	case failure(d) != "":
		c.Reason, c.Message = v1alpha1.ReasonPodsUnavailable, "pods can't be made: "+oneLine(failure(d))
	case s.ObservedGeneration < d.Generation:
		c.Message = "the Deployment is being looked at"
	case s.UpdatedReplicas >= want && s.Replicas <= s.UpdatedReplicas && s.AvailableReplicas >= want && want > 0:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonPodsReady
		c.Message = serve(s.AvailableReplicas)
	case stuck(d):
		c.Reason = v1alpha1.ReasonPodsUnavailable
		c.Message = fmt.Sprintf("%d of %s serve, and no more come up", s.AvailableReplicas, pods(want))
	case s.AvailableReplicas == 0:
		c.Message = fmt.Sprintf("none of %s serves yet", pods(want))
	case s.UpdatedReplicas < want || s.Replicas > s.UpdatedReplicas:
		c.Message = fmt.Sprintf("rolling out: %d of %s are of the new version; %d serve", min(s.UpdatedReplicas, want), pods(want), s.AvailableReplicas)
	default:
		c.Message = fmt.Sprintf("%d of %s serve", s.AvailableReplicas, pods(want))
	}
	return c
}

func serve(n int32) string {
	if n == 1 {
		return "1 pod serves"
	}
	return pods(n) + " serve"
}

func pods(n int32) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}

func condition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	i := slices.IndexFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &d.Status.Conditions[i]
}

// failure is why no pods can be made, such as a quota; "" when they can.
func failure(d *appsv1.Deployment) string {
	if c := condition(d, appsv1.DeploymentReplicaFailure); c != nil && c.Status == corev1.ConditionTrue {
		return cmp.Or(c.Message, c.Reason)
	}
	return ""
}

// stuck tells that a rollout made no progress for too long.
func stuck(d *appsv1.Deployment) bool {
	c := condition(d, appsv1.DeploymentProgressing)
	return c != nil && c.Status == corev1.ConditionFalse
}

// unavailableSince is since when too few pods serve; zero: enough do.
func unavailableSince(d *appsv1.Deployment) time.Time {
	switch c := condition(d, appsv1.DeploymentAvailable); {
	case c != nil && c.Status == corev1.ConditionFalse:
		return c.LastTransitionTime.Time
	case stuck(d):
		return condition(d, appsv1.DeploymentProgressing).LastTransitionTime.Time
	}
	return time.Time{}
}

// explainPods adds to the condition of pods that don't serve why they don't, once
// they had the time to, and looks again later.
func (r *instanceReconciler) explainPods(ctx context.Context, p *pass, d *appsv1.Deployment, c *metav1.Condition) {
	since := unavailableSince(d)
	if since.IsZero() {
		return
	}
	age := r.now().Sub(since)
	if age < askAfter {
		p.retry(askAfter - age)
		return
	}
	p.retry(min(max(age/4, askAfter), askEvery))
	var list corev1.PodList
	err := r.live.List(ctx, &list, client.InNamespace(d.Namespace), client.MatchingLabels(desired.Selector(p.instance)), client.Limit(podsAsked))
	if err != nil {
		if e := explain(err, "to list pods"); e.reason == v1alpha1.ReasonForbidden {
			c.Message = oneLine(c.Message + "; why can't be told: " + e.message)
		}
		return
	}
	reason, why := whyNot(list.Items)
	if why == "" {
		return
	}
	c.Reason = reason
	if reason == v1alpha1.ReasonImageTooOld {
		c.Message = why
	} else {
		c.Message = oneLine(c.Message + ": " + why)
	}
}

// whyNot tells why pods don't serve, by the first that says; "" when none does. It
// holds no numbers that change by themselves, as a message that does is a write.
func whyNot(list []corev1.Pod) (reason, why string) {
	slices.SortFunc(list, func(a, b corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for i := range list {
		pod := &list[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		if text := podTrouble(pod); text != "" {
			if _, after, found := strings.Cut(text, postgres.ImageTooOld); found {
				return v1alpha1.ReasonImageTooOld, oneLine(postgres.ImageTooOld + after)
			}
			return v1alpha1.ReasonPodsUnavailable, text
		}
	}
	return "", ""
}

func podTrouble(pod *corev1.Pod) string {
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		if s.Ready {
			continue
		}
		ended := s.State.Terminated
		if ended == nil {
			ended = s.LastTerminationState.Terminated
		}
		waiting := s.State.Waiting
		switch {
		case ended != nil && (waiting == nil || waiting.Reason == "CrashLoopBackOff"):
			return fmt.Sprintf("pod %s ended: %s", pod.Name, cmp.Or(lastLine(ended.Message), fmt.Sprintf("%s, exit code %d", ended.Reason, ended.ExitCode)))
		case waiting != nil && waiting.Reason == "ContainerCreating", waiting != nil && waiting.Reason == "PodInitializing":
		case waiting != nil && waiting.Message != "":
			return fmt.Sprintf("pod %s: %s: %s", pod.Name, waiting.Reason, oneLine(waiting.Message))
		case waiting != nil && waiting.Reason != "":
			return fmt.Sprintf("pod %s: %s", pod.Name, waiting.Reason)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return fmt.Sprintf("pod %s has no node: %s", pod.Name, oneLine(c.Message))
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return fmt.Sprintf("pod %s failed: %s", pod.Name, oneLine(cmp.Or(pod.Status.Message, pod.Status.Reason)))
	}
	return ""
}

// lastLine is the end of what a container said before it ended, where its error is.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return oneLine(lines[len(lines)-1])
}
