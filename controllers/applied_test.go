package controllers

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func deploymentAt(version string, generation int64, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: "support", UID: "uid-1", ResourceVersion: version, Generation: generation,
		Labels: map[string]string{"a": "b"}, OwnerReferences: []metav1.OwnerReference{{UID: "owner", Controller: new(true)}},
	}}
	for _, c := range change {
		c(d)
	}
	return d
}

func TestAppliedHolds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := fingerprintOf(deploymentAt("100", 1))
	for name, c := range map[string]struct {
		seen fingerprint
		live client.Object
		at   time.Duration // after the apply
		want bool
	}{
		"just as applied":            {seen, deploymentAt("100", 1), 0, true},
		"the cache lags":             {seen, deploymentAt("99", 1), 0, true},
		"the cache lags, by a digit": {seen, deploymentAt("9", 1), 0, true},
		"only its status changed":    {seen, deploymentAt("101", 1), time.Hour, true},
		"its spec changed":           {seen, deploymentAt("101", 2), time.Hour, false},
		"a label changed":            {seen, deploymentAt("101", 1, func(d *appsv1.Deployment) { d.Labels["a"] = "c" }), time.Hour, false},
		"a label is gone":            {seen, deploymentAt("101", 1, func(d *appsv1.Deployment) { d.Labels = nil }), time.Hour, false},
		"its owner is gone":          {seen, deploymentAt("101", 1, func(d *appsv1.Deployment) { d.OwnerReferences = nil }), time.Hour, false},
		"the Deployment controller's": {seen, deploymentAt("101", 1, func(d *appsv1.Deployment) {
			d.Annotations = map[string]string{"deployment.kubernetes.io/revision": "2"}
		}), time.Hour, true},
		"another of its name":        {seen, deploymentAt("100", 1, func(d *appsv1.Deployment) { d.UID = "uid-2" }), 0, false},
		"it is being deleted":        {seen, deploymentAt("100", 1, func(d *appsv1.Deployment) { d.DeletionTimestamp = new(metav1.Now()) }), 0, false},
		"not in the cache yet":       {seen, nil, time.Second, true},
		"never came into the cache":  {seen, nil, time.Minute, false},
		"changed before it was seen": {0, deploymentAt("101", 1), time.Hour, false},
		"first seen just as applied": {0, deploymentAt("100", 1), time.Hour, true},
	} {
		a := &applied{hash: "h", uid: "uid-1", version: "100", seen: c.seen, at: now}
		if got := a.holds(c.live, now.Add(c.at)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (*applied)(nil).holds(deploymentAt("1", 1), now) {
		t.Error("what was never applied holds")
	}
}

// A kind without a generation is told by its version, but for the one whose status
// changes all the time.
func TestFingerprintWithoutGeneration(t *testing.T) {
	t.Parallel()
	secret := func(version string) client.Object {
		o := metadataOf(kindSecret)
		o.UID, o.ResourceVersion = "u", version
		return o
	}
	if one, again := fingerprintOf(secret("1")), fingerprintOf(secret("1")); one == fingerprintOf(secret("2")) || one != again {
		t.Error("a Secret is not told by its version")
	}
	hpa := func(version string, most int32) client.Object {
		return &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{UID: "u", ResourceVersion: version}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: most},
		}
	}
	if fingerprintOf(hpa("1", 3)) != fingerprintOf(hpa("2", 3)) {
		t.Error("an autoscaler is told by its version")
	}
	if fingerprintOf(hpa("1", 3)) == fingerprintOf(hpa("1", 4)) {
		t.Error("an autoscaler is not told by its spec")
	}
	answer := metadataOf(kindHPA)
	answer.UID = types.UID("u")
	if fingerprintOf(answer) != 0 {
		t.Error("an autoscaler is told by its metadata alone")
	}
}

func TestRelevance(t *testing.T) {
	t.Parallel()
	base := func(change ...func(*appsv1.Deployment)) *appsv1.Deployment {
		return deploymentAt("1", 1, append([]func(*appsv1.Deployment){func(d *appsv1.Deployment) {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, AvailableReplicas: 1, Conditions: []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", Message: "x"},
			}}
		}}, change...)...)
	}
	for name, c := range map[string]struct {
		change func(*appsv1.Deployment)
		news   bool
	}{
		"nothing":                    {func(*appsv1.Deployment) {}, false},
		"its version":                {func(d *appsv1.Deployment) { d.ResourceVersion = "2" }, false},
		"when a condition was heard": {func(d *appsv1.Deployment) { d.Status.Conditions[0].LastUpdateTime = metav1.Now() }, false},
		"collisions":                 {func(d *appsv1.Deployment) { d.Status.CollisionCount = new(int32(3)) }, false},
		"a message":                  {func(d *appsv1.Deployment) { d.Status.Conditions[0].Message = "y" }, false},
		"fewer pods serve":           {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0 }, true},
		"a condition":                {func(d *appsv1.Deployment) { d.Status.Conditions[0].Status = corev1.ConditionFalse }, true},
		"its spec":                   {func(d *appsv1.Deployment) { d.Generation = 2 }, true},
		"it goes":                    {func(d *appsv1.Deployment) { d.DeletionTimestamp = new(metav1.Now()) }, true},
	} {
		was, is := base(), base(c.change)
		for _, d := range []*appsv1.Deployment{was, is} {
			if _, err := slim(d); err != nil {
				t.Fatal(err)
			}
		}
		if got := relevance(was) != relevance(is); got != c.news {
			t.Errorf("%s: %v", name, got)
		}
	}
	route := func(status string) *gatewayv1.HTTPRoute {
		r := &gatewayv1.HTTPRoute{}
		r.Status.Parents = []gatewayv1.RouteParentStatus{{Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionStatus(status)}}}}
		return r
	}
	if one, again := relevance(route("True")), relevance(route("True")); one == relevance(route("False")) || one != again {
		t.Error("a route's answer is no news, or always is")
	}
}

func TestDiffers(t *testing.T) {
	t.Parallel()
	meta := func(version string, generation int64, labels map[string]string) metav1.Object {
		return &metav1.ObjectMeta{ResourceVersion: version, Generation: generation, Labels: labels}
	}
	for name, c := range map[string]struct {
		before, after metav1.Object
		want          bool
	}{
		"nothing":                     {meta("1", 1, nil), meta("1", 1, nil), false},
		"only the version, as status": {meta("1", 1, nil), meta("2", 1, nil), false},
		"the generation":              {meta("1", 1, nil), meta("2", 2, nil), true},
		"a label":                     {meta("1", 1, nil), meta("2", 1, map[string]string{"a": ""}), true},
		"a kind without generation":   {meta("1", 0, nil), meta("2", 0, nil), true},
	} {
		if got := differs(c.before, c.after); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
