package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// conclude writes a pass's status and tells of what changed, both only if something did.
func (r *bindingReconciler) conclude(ctx context.Context, p *bindingPass) (again time.Time, err error) {
	if p.silent {
		return p.again, p.err
	}
	next := p.status()
	if !equality.Semantic.DeepEqual(p.before, next) {
		if err := r.write(ctx, p, next); err != nil {
			return time.Time{}, err
		}
		for _, n := range transitions(p.before.Conditions, next.Conditions) {
			tell(r.recorder, p.binding, n)
		}
	}
	return p.again, p.err
}

// status is what the binding's status should be. What a pass that failed could not
// find out stays as it was.
func (p *bindingPass) status() v1alpha1.ChannelBindingStatus {
	next := *p.before.DeepCopy()
	next.Conditions, next.ObservedGeneration = p.result.Conditions, p.binding.Generation
	if p.err != nil {
		return next
	}
	next.ChannelID = ""
	if !p.result.Instance.IsZero() {
		next.ChannelID = p.result.ID.String()
	}
	next.Account, next.WebhookURL = p.result.Account, p.result.WebhookURL
	return next
}

// write patches what differs.
func (r *bindingReconciler) write(ctx context.Context, p *bindingPass, next v1alpha1.ChannelBindingStatus) error {
	base := &v1alpha1.ChannelBinding{}
	base.Namespace, base.Name, base.Status = p.binding.Namespace, p.binding.Name, p.before
	o := base.DeepCopy()
	o.Status = next
	err := r.client.Status().Patch(ctx, o, client.MergeFrom(base), client.FieldOwner(desired.FieldManager))
	if apierrors.IsNotFound(err) {
		return nil // it is gone
	}
	if err != nil {
		return fmt.Errorf("writing the binding's status: %w", err)
	}
	p.known.status, p.known.version = next.DeepCopy(), o.ResourceVersion
	return nil
}
