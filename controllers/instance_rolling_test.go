package controllers

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

// fleetOf makes pods of an image come up only when the test says so.
type fleetOf struct {
	image string

	mu       sync.Mutex
	released map[string]bool
	rolling  map[string]bool
	most     int // that rolled at a time
}

func (f *fleetOf) ready(d *appsv1.Deployment) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.Spec.Template.Spec.Containers[0].Image != f.image {
		return true
	}
	if f.released[d.Name] {
		delete(f.rolling, d.Name)
		return true
	}
	f.rolling[d.Name] = true
	f.most = max(f.most, len(f.rolling))
	return false
}

func (f *fleetOf) peak() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

func (f *fleetOf) names() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.rolling)
}

// release lets an instance's pods come up.
func (f *fleetOf) release(o *operator, name string) {
	o.t.Helper()
	f.mu.Lock()
	f.released[name] = true
	f.mu.Unlock()
	edit(o, name, &appsv1.Deployment{}, func(d *appsv1.Deployment) { d.Annotations["test"] = "look" })
}

// Another image of the operator's reaches only so many instances at a time, whichever
// operator counts; whoever asks for something himself doesn't wait.
func TestRolloutsWaitInLine(t *testing.T) {
	t.Parallel()
	const limit, instances = 2, 6
	image := "ghcr.io/open4x/socialops@sha256:" + strings.Repeat("b", 64)
	fleet := &fleetOf{image: image, released: map[string]bool{}, rolling: map[string]bool{}}
	o := startOperator(t, func(o *Options) { o.MaxRollouts = limit })
	o.RunDeployments(t, fleet.ready)
	all := map[string]bool{}
	for i := range instances {
		name := fmt.Sprintf("i%d", i)
		all[name] = true
		o.Apply(t, o.instance(name))
	}
	for name := range all {
		o.await(name, "Ready=True/Ready")
	}
	o.settled()
	o.stop()
	o.options.Settings.Image = image
	o.start()

	state := func() (rolling, queued []string) {
		for name := range all {
			in := get(o, name, &v1alpha1.SocialOpsInstance{})
			switch {
			case has(in, "Ready=False/RolloutQueued") && in.Status.Image == testImage:
				queued = append(queued, name)
			case has(in, "Ready=False/Progressing") && in.Status.Image == image:
				rolling = append(rolling, name)
			}
		}
		return rolling, queued
	}
	settle := func(rolling, queued int) []string {
		t.Helper()
		var r, q []string
		for range 20 {
			if r, q = state(); len(r) == rolling && len(q) == queued {
				return q
			}
			o.settled()
		}
		t.Fatalf("rolling %v, waiting %v", r, q)
		return nil
	}
	settle(limit, instances-limit)
	o.stop()
	o.start()
	queued := settle(limit, instances-limit)
	if fleet.peak() > limit {
		t.Fatalf("%d rolled at a time", fleet.peak())
	}

	// What a person changes is done at once.
	o.Apply(t, o.instance(queued[0], func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Pod = &v1alpha1.PodSettings{Env: []v1alpha1.EnvVar{{Name: "HTTPS_PROXY", Value: new("http://proxy")}}}
	}))
	settle(limit+1, instances-limit-1)
	// So is what a replaced credential asks for.
	if err := o.Client.Delete(t.Context(), get(o, queued[1]+"-runtime", &corev1.Secret{})); err != nil {
		t.Fatal(err)
	}
	settle(limit+2, instances-limit-2)

	for len(all) > 0 {
		for name := range fleet.names() {
			fleet.release(o, name)
			o.await(name, "Ready=True/Ready")
			delete(all, name)
		}
		if len(all) > 0 && len(fleet.names()) == 0 {
			for name := range all { // whoever comes next
				kubetest.Await(t, o.Env, &appsv1.Deployment{ObjectMeta: named(name)}, "rolls out", func(d *appsv1.Deployment) bool {
					return d.Spec.Template.Spec.Containers[0].Image == image
				})
				break
			}
		}
	}
	if fleet.peak() > limit+2 {
		t.Errorf("%d rolled at a time", fleet.peak())
	}
	o.quiet()
}

// Pods of an image that was allowed go on when another one isn't.
func TestImageNotAllowed(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	with := func(image string) func(*v1alpha1.SocialOpsInstance) {
		return func(in *v1alpha1.SocialOpsInstance) { in.Spec.Image = image }
	}
	o.Apply(t, o.instance("a", with("ghcr.io/open4x/socialops:v1")))
	o.await("a", "Ready=True/Ready")
	before := get(o, "a", &appsv1.Deployment{})
	o.Apply(t, o.instance("a", with("docker.io/evil/miner:latest")))
	in := o.await("a", "Ready=False/ImageNotAllowed", "Stalled=True/ImageNotAllowed", "PodsReady=False/ImageNotAllowed")
	if in.Status.Image != "ghcr.io/open4x/socialops:v1" {
		t.Errorf("status.image is %s", in.Status.Image)
	}
	if after := get(o, "a", &appsv1.Deployment{}); after.UID != before.UID || after.Generation != before.Generation {
		t.Error("the Deployment changed")
	}
	o.awaitEvent("a", "Warning ImageNotAllowed: ")
	o.Apply(t, o.instance("a"))
	o.await("a", "Ready=True/Ready", "Stalled=absent")
	o.quiet()
}

// A paused instance is left alone, and says so; what was done to it meanwhile heals
// afterwards.
func TestPaused(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	pause := func(value string) func(*v1alpha1.SocialOpsInstance) {
		return func(in *v1alpha1.SocialOpsInstance) {
			in.Annotations = map[string]string{v1alpha1.AnnotationPaused: value}
		}
	}
	o.Apply(t, o.instance("never", pause("true")))
	o.await("never", "Ready=False/Paused", "AliasClaimed=absent", "Stalled=absent")

	o.Apply(t, o.instance("a"))
	o.await("a", "Ready=True/Ready")
	edit(o, "a", &v1alpha1.SocialOpsInstance{}, pause("true"))
	o.await("a", "Ready=True/Paused")
	m := o.mark()
	edit(o, "a", &appsv1.Deployment{}, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(4)) })
	if err := o.Client.Delete(t.Context(), get(o, "a", &corev1.Service{})); err != nil {
		t.Fatal(err)
	}
	edit(o, "a", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Spec.Replicas = new(int32(2)) })
	kubetest.Await(t, o.Env, &v1alpha1.SocialOpsInstance{ObjectMeta: named("a")}, "tells how many pods there are", func(in *v1alpha1.SocialOpsInstance) bool { return *in.Status.Replicas == 4 })
	o.settled()
	for _, w := range o.writes(m) {
		if !strings.Contains(w, "socialopsinstances.socialops.dev/status") {
			t.Errorf("while paused: %s", w)
		}
	}
	if in := o.await("a", "Ready=True/Paused"); in.Status.ObservedGeneration != 1 || in.Generation != 2 {
		t.Errorf("generation %d, of which %d was acted on", in.Generation, in.Status.ObservedGeneration)
	}
	edit(o, "a", &v1alpha1.SocialOpsInstance{}, pause("false"))
	kubetest.Await(t, o.Env, &appsv1.Deployment{ObjectMeta: named("a")}, "is as wanted", func(d *appsv1.Deployment) bool { return replicas(d) == 2 })
	kubetest.Await(t, o.Env, &corev1.Service{ObjectMeta: named("a")}, "is there", func(*corev1.Service) bool { return true })
	o.await("a", "Ready=True/Ready")
	o.quiet()
}
