package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/project"
)

// summaryOrder is the order of a status's conditions, which has to be the same each time.
var summaryOrder = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
	v1alpha1.ConditionAliasClaimed, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionKeysReady,
	v1alpha1.ConditionPodsReady, v1alpha1.ConditionExposed,
}

// status is what the instance's status should be.
func (r *instanceReconciler) status(ctx context.Context, p *pass) (*v1alpha1.SocialOpsInstanceStatus, error) {
	in := p.instance
	s := in.Status.DeepCopy()
	if p.deleting != "" {
		s.Conditions = deleting(s.Conditions, in.Generation, r.now(), p.deleting)
		return s, nil
	}
	channels, err := r.channels(ctx, in)
	if err != nil {
		return nil, err
	}
	s.Channels = &channels
	d := p.cluster.deployment(in)
	switch {
	case d != nil:
		s.Replicas, s.ReadyReplicas = new(d.Status.Replicas), new(d.Status.ReadyReplicas)
	case p.memory.lags(objectKey{kindDeployment.Kind, in.Name}, nil): // just made, so that there are none yet
		s.Replicas, s.ReadyReplicas = new(int32), new(int32)
	default:
		s.Replicas, s.ReadyReplicas = nil, nil
	}
	s.Selector = labels.SelectorFromSet(desired.Selector(in)).String()
	switch {
	case p.refused:
		s.URL, s.KeySecretName, s.Image = "", "", ""
	case p.applied:
		s.URL, s.KeySecretName = desired.URL(in, r.settings), ""
		if p.keys != nil {
			s.KeySecretName = desired.KeySecretName(in)
		}
		if image, problem := desired.Image(in, r.settings); problem == nil && !p.queued {
			s.Image = image
		} else if d != nil && len(d.Spec.Template.Spec.Containers) > 0 {
			s.Image = d.Spec.Template.Spec.Containers[0].Image
		}
	}
	if !p.paused {
		s.ObservedGeneration = in.Generation
	}
	s.Conditions = r.sumUp(ctx, p)
	return s, nil
}

// sumUp is all conditions of an instance.
func (r *instanceReconciler) sumUp(ctx context.Context, p *pass) []metav1.Condition {
	in := p.instance
	// How long a condition holds is in the status, but for what the projection decides.
	projected := p.conditions
	if projected == nil {
		projected = in.Status.Conditions
	}
	var base []metav1.Condition
	for _, kind := range summaryOrder {
		from := in.Status.Conditions
		switch kind {
		case v1alpha1.ConditionAliasClaimed, v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionKeysReady:
			from = projected
		}
		if c := meta.FindStatusCondition(from, kind); c != nil {
			base = append(base, *c)
		}
	}
	pods, exposed := r.podsCondition(ctx, p), r.exposedCondition(p)
	more := []metav1.Condition{pods, exposed}
	aside := exposed.Reason == v1alpha1.ReasonNotExposed // as was asked for, so nothing is amiss
	if aside {
		more[1] = metav1.Condition{Type: v1alpha1.ConditionExposed}
	}
	for _, kind := range []string{v1alpha1.ConditionDatabaseReady, v1alpha1.ConditionKeysReady} {
		if k, ok := p.problems[kind]; ok {
			more = append(more, metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: k.reason, Message: k.message})
		}
	}
	conditions := project.SummarizeInstance(in, base, r.now(), more...)
	if aside {
		if was := meta.FindStatusCondition(in.Status.Conditions, v1alpha1.ConditionExposed); was != nil {
			conditions = append(conditions, *was)
		}
		exposed.ObservedGeneration, exposed.LastTransitionTime = in.Generation, metav1.NewTime(r.now().UTC().Truncate(time.Second))
		meta.SetStatusCondition(&conditions, exposed)
	}
	if p.paused {
		conditions = paused(conditions, meta.FindStatusCondition(base, v1alpha1.ConditionAliasClaimed) != nil)
	}
	slices.SortStableFunc(conditions, func(a, b metav1.Condition) int {
		return slices.Index(summaryOrder, a.Type) - slices.Index(summaryOrder, b.Type)
	})
	return conditions
}

// paused has Ready say that nobody looks after the instance, whatever else it is.
func paused(conditions []metav1.Condition, begun bool) []metav1.Condition {
	const advice = "paused: the operator leaves the instance's objects and rows alone until its annotation " + v1alpha1.AnnotationPaused + " is removed"
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return conditions
	}
	if !begun {
		ready.Status = metav1.ConditionFalse
	}
	if ready.Message = advice; ready.Status != metav1.ConditionTrue && begun {
		ready.Message += "; " + ready.Reason
	}
	ready.Reason = v1alpha1.ReasonPaused
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		meta.RemoveStatusCondition(&conditions, kind)
	}
	return conditions
}

func deleting(conditions []metav1.Condition, generation int64, now time.Time, why string) []metav1.Condition {
	conditions = slices.Clone(conditions)
	meta.SetStatusCondition(&conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDeleting, Message: why,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.UTC().Truncate(time.Second)),
	})
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		meta.RemoveStatusCondition(&conditions, kind)
	}
	return conditions
}

// podsCondition is PodsReady.
func (r *instanceReconciler) podsCondition(ctx context.Context, p *pass) metav1.Condition {
	in := p.instance
	no := func(reason, message string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionPodsReady, Status: metav1.ConditionFalse, Reason: reason, Message: message}
	}
	if p.refused {
		return metav1.Condition{Type: v1alpha1.ConditionPodsReady}
	}
	if problem, ok := p.problems[v1alpha1.ConditionPodsReady]; ok {
		return no(problem.reason, problem.message)
	}
	if !p.applied && !p.paused {
		return asItWas(in, v1alpha1.ConditionPodsReady)
	}
	if in.Spec.Suspended() {
		return no(v1alpha1.ReasonSuspended, "suspended: set spec.suspend to false to go on")
	}
	if _, problem := desired.Image(in, r.settings); problem != nil {
		return no(problem.Reason, problem.Message)
	}
	d := p.cluster.deployment(in)
	if p.memory.lags(objectKey{kindDeployment.Kind, in.Name}, p.cluster.object(kindDeployment.Kind, in.Name)) {
		return no(v1alpha1.ReasonProgressing, "the Deployment is being looked at")
	}
	c := podsReady(d)
	switch {
	case c.Status == metav1.ConditionTrue && p.queued:
		return no(v1alpha1.ReasonRolloutQueued, fmt.Sprintf("the update to %s waits, as %d instances roll at a time; the pods of the version before serve", r.settings.Image, r.rollouts.limit))
	case c.Status != metav1.ConditionTrue && d != nil && failure(d) == "":
		r.explainPods(ctx, p, d, &c)
	}
	return c
}

// asItWas is a condition that nobody looked into.
func asItWas(in *v1alpha1.SocialOpsInstance, kind string) metav1.Condition {
	if was := meta.FindStatusCondition(in.Status.Conditions, kind); was != nil {
		return *was
	}
	return metav1.Condition{Type: kind}
}

// exposedCondition is Exposed.
func (r *instanceReconciler) exposedCondition(p *pass) metav1.Condition {
	in := p.instance
	no := func(reason, message string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionExposed, Status: metav1.ConditionFalse, Reason: reason, Message: message}
	}
	if p.refused {
		return metav1.Condition{Type: v1alpha1.ConditionExposed}
	}
	if !p.applied {
		return asItWas(in, v1alpha1.ConditionExposed)
	}
	if problem, ok := p.problems[v1alpha1.ConditionExposed]; ok {
		return no(problem.reason, problem.message)
	}
	want, problem := desired.Exposure(in, r.settings)
	if problem != nil {
		return no(problem.Reason, problem.Message)
	}
	if want.Type == v1alpha1.ExposureHTTPRoute && p.cluster.routes == routesSyncing {
		return no(v1alpha1.ReasonProgressing, "the cluster's HTTPRoutes are being read")
	}
	return exposed(want, p.cluster.route(in))
}

// writeStatus patches what changed of the status.
func (r *instanceReconciler) writeStatus(ctx context.Context, p *pass, status *v1alpha1.SocialOpsInstanceStatus) error {
	base := p.instance.DeepCopy()
	p.instance.Status = *status
	err := r.client.Status().Patch(ctx, p.instance, client.MergeFrom(base), client.FieldOwner(desired.FieldManager))
	if apierrors.IsNotFound(err) {
		return nil // it is gone meanwhile
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	p.memory.status, p.memory.version = status, p.instance.ResourceVersion
	return nil
}

// pause leaves the instance as it is.
func (r *instanceReconciler) pause(p *pass) { p.paused = true }
