package controllers

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodsReady(t *testing.T) {
	t.Parallel()
	d := func(want int32, s appsv1.DeploymentStatus) *appsv1.Deployment {
		if s.ObservedGeneration == 0 {
			s.ObservedGeneration = 3
		}
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: appsv1.DeploymentSpec{Replicas: &want}, Status: s}
	}
	is := func(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, message string) []appsv1.DeploymentCondition {
		return []appsv1.DeploymentCondition{{Type: kind, Status: status, Message: message}}
	}
	for name, c := range map[string]struct {
		d    *appsv1.Deployment
		want string
	}{
		"not made yet":     {nil, "False Progressing: the Deployment is being made"},
		"not looked at":    {d(1, appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}), "False Progressing: the Deployment is being looked at"},
		"one serves":       {d(1, appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}), "True PodsReady: 1 pod serves"},
		"all serve":        {d(3, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 3, AvailableReplicas: 3}), "True PodsReady: 3 pods serve"},
		"starting":         {d(1, appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1}), "False Progressing: none of 1 pod serves yet"},
		"rolling out":      {d(2, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 1, AvailableReplicas: 2}), "False Progressing: rolling out: 1 of 2 pods are of the new version; 2 serve"},
		"the last old pod": {d(2, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 3}), "False Progressing: rolling out: 2 of 2 pods are of the new version; 3 serve"},
		"one is down":      {d(2, appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 1}), "False Progressing: 1 of 2 pods serve"},
		"stuck":            {d(2, appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 1, AvailableReplicas: 2, Conditions: is(appsv1.DeploymentProgressing, corev1.ConditionFalse, "")}), "False PodsUnavailable: 2 of 2 pods serve, and no more come up"},
		"a quota":          {d(1, appsv1.DeploymentStatus{Conditions: is(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "pods \"x\" is forbidden:\nexceeded quota")}), "False PodsUnavailable: pods can't be made: pods \"x\" is forbidden: exceeded quota"},
	} {
		c0 := podsReady(c.d)
		if got := string(c0.Status) + " " + c0.Reason + ": " + c0.Message; got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestWhyNot(t *testing.T) {
	t.Parallel()
	pod := func(name string, s corev1.ContainerStatus, conditions ...corev1.PodCondition) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{s}, Conditions: conditions}}
	}
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	ended := func(code int32, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", Message: message}}
	}
	leaving := pod("z", corev1.ContainerStatus{State: waiting("ImagePullBackOff", "x")})
	leaving.DeletionTimestamp = new(metav1.Now())
	older := pod("b", corev1.ContainerStatus{State: waiting("ErrImagePull", "of long ago")})
	older.CreationTimestamp = metav1.NewTime(time.Unix(1, 0))
	newer := pod("a", corev1.ContainerStatus{State: waiting("ErrImagePull", "no such image")})
	newer.CreationTimestamp = metav1.NewTime(time.Unix(2, 0))
	for name, c := range map[string]struct {
		pods []corev1.Pod
		want string
	}{
		"no pods":                    {nil, ": "},
		"an image":                   {[]corev1.Pod{pod("a", corev1.ContainerStatus{State: waiting("ImagePullBackOff", "Back-off pulling image \"x\"")})}, `PodsUnavailable: pod a: ImagePullBackOff: Back-off pulling image "x"`},
		"the newest says it":         {[]corev1.Pod{older, newer}, "PodsUnavailable: pod a: ErrImagePull: no such image"},
		"one on its way out":         {[]corev1.Pod{leaving}, ": "},
		"a crash, by its last words": {[]corev1.Pod{pod("a", corev1.ContainerStatus{State: waiting("CrashLoopBackOff", "back-off 2m40s restarting failed container"), LastTerminationState: ended(1, "level=INFO msg=x\nsocialops: the database is away\n")})}, "PodsUnavailable: pod a ended: socialops: the database is away"},
		"a crash without words":      {[]corev1.Pod{pod("a", corev1.ContainerStatus{State: ended(137, "")})}, "PodsUnavailable: pod a ended: Error, exit code 137"},
		"an image that is too old":   {[]corev1.Pod{pod("a", corev1.ContainerStatus{State: ended(1, "socialops: image too old for the schema: use v9 or later")})}, "ImageTooOld: image too old for the schema: use v9 or later"},
		"being made":                 {[]corev1.Pod{pod("a", corev1.ContainerStatus{State: waiting("ContainerCreating", "")})}, ": "},
		"no node": {[]corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available"},
		}}}}, "PodsUnavailable: pod a has no node: 0/3 nodes are available"},
		"it serves": {[]corev1.Pod{pod("a", corev1.ContainerStatus{Ready: true, LastTerminationState: ended(1, "x")})}, ": "},
	} {
		reason, why := whyNot(c.pods)
		if got := reason + ": " + why; got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestUnavailableSince(t *testing.T) {
	t.Parallel()
	at := metav1.NewTime(time.Unix(100, 0))
	c := func(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus) *appsv1.Deployment {
		return &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{Type: kind, Status: status, LastTransitionTime: at}}}}
	}
	if got := unavailableSince(c(appsv1.DeploymentAvailable, corev1.ConditionTrue)); !got.IsZero() {
		t.Errorf("available, yet since %v", got)
	}
	for _, d := range []*appsv1.Deployment{c(appsv1.DeploymentAvailable, corev1.ConditionFalse), c(appsv1.DeploymentProgressing, corev1.ConditionFalse)} {
		if got := unavailableSince(d); !got.Equal(at.Time) {
			t.Errorf("since %v", got)
		}
	}
	if lastLine("a\nb\n\n") != "b" || lastLine("") != "" || strings.Contains(lastLine("x\r\ny z"), "x") {
		t.Error("the last line is another one")
	}
}
