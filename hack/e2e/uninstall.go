package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/open4x/socialops/api/v1alpha1"
)

// proveUninstall uninstalls the main release: runtimes go on serving, CRDs, instances
// and data stay, and nothing hangs for want of an operator. Then it installs it again,
// which finds everything as it was.
func (e *e2e) proveUninstall(ctx context.Context) error {
	const namespace = "orphaned"
	if err := e.kube.namespace(ctx, namespace); err != nil {
		return err
	}
	if err := e.bot(ctx, namespace, "orphaned", "888:e2e-orphaned-bot"); err != nil {
		return err
	}
	before, err := e.support.threads(ctx)
	if err != nil {
		return err
	}
	if err := e.uninstall(ctx, mainRelease); err != nil {
		return err
	}

	if err := e.support.ask(ctx, http.StatusAccepted, http.MethodPost, "/webhook/generic-webhook", event{EventID: "orphan", ThreadID: "orphan", Text: "Still there?"}, nil); err != nil {
		return fmt.Errorf("a runtime without an operator: %w", err)
	}
	if _, err := e.kube.kubectl(ctx, "get", "crd", "socialopsinstances.socialops.dev", "channelbindings.socialops.dev"); err != nil {
		return fmt.Errorf("the uninstall took the CRDs along: %w", err)
	}
	if err := e.proveNoFinalizers(ctx); err != nil {
		return err
	}
	if err := e.kube.deleteNamespace(ctx, namespace, goneLimit); err != nil {
		return fmt.Errorf("without an operator: %w", err)
	}

	if err := e.install(ctx, mainRelease, e.root, e.images.product, e.mainValues()); err != nil {
		return err
	}
	if err := e.instanceReady(ctx, supportNamespace, "support"); err != nil {
		return err
	}
	after, err := e.support.threads(ctx)
	if err != nil {
		return err
	}
	if len(after) != len(before)+1 {
		return fmt.Errorf("after an uninstall and another install the inbox has %d threads; want the %d that it had and 1 more", len(after), len(before))
	}
	// Left for good, with its instances deleted as an admin would.
	var steps []step
	for _, ns := range []string{supportNamespace, healNamespace} {
		steps = append(steps, step{"uninstall: delete the namespace " + ns, func(ctx context.Context) error {
			return e.kube.deleteNamespace(ctx, ns, goneLimit)
		}})
	}
	return errors.Join(e.together(ctx, steps...), e.uninstall(ctx, mainRelease))
}

func (e *e2e) proveNoFinalizers(ctx context.Context) error {
	var instances v1alpha1.SocialOpsInstanceList
	var bindings v1alpha1.ChannelBindingList
	if err := errors.Join(e.kube.List(ctx, &instances), e.kube.List(ctx, &bindings)); err != nil {
		return fmt.Errorf("listing what an uninstall leaves: %w", err)
	}
	if len(instances.Items) == 0 || len(bindings.Items) == 0 {
		return errors.New("the uninstall took instances or bindings along")
	}
	for _, in := range instances.Items {
		if len(in.Finalizers) > 0 {
			return fmt.Errorf("the instance %s/%s has finalizers that nobody serves: %v", in.Namespace, in.Name, in.Finalizers)
		}
	}
	for _, b := range bindings.Items {
		if len(b.Finalizers) > 0 {
			return fmt.Errorf("the binding %s/%s has finalizers that nobody serves: %v", b.Namespace, b.Name, b.Finalizers)
		}
	}
	return nil
}
