package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// loadPerSecond is what the loads of this run post. It leaves the machine, which may
// have two cores for everything, some air.
const loadPerSecond = 40

// proveUpgrade upgrades the release under load: no call may fail while the instances
// roll to the new image, nothing that was acknowledged may be lost, and an upgrade that
// changes nothing must roll nothing.
func (e *e2e) proveUpgrade(ctx context.Context) error {
	l := startLoad(ctx, "upgrade", loadPerSecond, e.support, e.supportPublic)
	err := e.upgradeTo(ctx, e.images.product)
	l.end()
	e.say("upgrade: %s", l)
	if err != nil {
		return err
	}
	return errors.Join(l.unbroken(), l.kept(ctx, e.support), e.proveCalm(ctx))
}

// upgradeTo upgrades the main release and waits until the sample's pods run the image.
func (e *e2e) upgradeTo(ctx context.Context, image string) error {
	if err := e.install(ctx, mainRelease, e.root, image, e.mainValues()); err != nil {
		return err
	}
	err := await(ctx, startLimit, "the sample's Deployment to follow the operator's image", func(ctx context.Context) (string, error) {
		var d appsv1.Deployment
		if err := e.kube.Get(ctx, client.ObjectKey{Namespace: supportNamespace, Name: "support"}, &d); err != nil {
			return "", fmt.Errorf("reading the Deployment: %w", err)
		}
		if got := d.Spec.Template.Spec.Containers[0].Image; got != image {
			return "its image is " + got, nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	if err := e.kube.rollout(ctx, supportNamespace, "support", startLimit); err != nil {
		return err
	}
	return e.oldPodsGone(ctx, image)
}

// oldPodsGone waits until the sample's pods of other images have drained.
func (e *e2e) oldPodsGone(ctx context.Context, image string) error {
	return await(ctx, startLimit, "the old pods to be gone", func(ctx context.Context) (string, error) {
		pods, err := e.pods(ctx, supportNamespace, "support")
		if err != nil {
			return "", err
		}
		for _, p := range pods {
			if p.Spec.Containers[0].Image != image {
				return p.Name + " is still there", nil
			}
		}
		return "", nil
	})
}

// proveCalm restarts the operator, and upgrades to the same chart and values: no
// instance's Deployment may change.
func (e *e2e) proveCalm(ctx context.Context) error {
	before, err := e.deployments(ctx)
	if err != nil {
		return err
	}
	if err := e.install(ctx, mainRelease, e.root, e.images.product, e.mainValues()); err != nil {
		return err
	}
	if err := e.restartOperator(ctx); err != nil {
		return err
	}
	after, err := e.deployments(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return fmt.Errorf("an upgrade that changed nothing changed Deployments: generations were %v and are %v", before, after)
	}
	return nil
}

// restartOperator stops the operator, takes the sample's status away, and starts it
// again: a status that is back shows that the new one has looked at the sample.
func (e *e2e) restartOperator(ctx context.Context) error {
	scale := func(replicas string) error {
		_, err := e.kube.kubectl(ctx, "scale", "deployment/socialops-operator", "--namespace", systemNamespace, "--replicas", replicas)
		return err
	}
	if err := scale("0"); err != nil {
		return err
	}
	if _, err := e.kube.kubectl(ctx, "wait", "pod", "--namespace", systemNamespace, "--selector", "app.kubernetes.io/component=operator",
		"--for=delete", "--timeout", startLimit.String()); err != nil {
		return err
	}
	in, err := e.getInstance(ctx, supportNamespace, "support")
	if err != nil {
		return err
	}
	in.Status = v1alpha1.SocialOpsInstanceStatus{ObservedGeneration: 1}
	if err := e.kube.Status().Update(ctx, in); err != nil {
		return fmt.Errorf("taking the sample's status away: %w", err)
	}
	if err := scale("1"); err != nil {
		return err
	}
	return e.instanceReady(ctx, supportNamespace, "support")
}

// deployments are the generations of all instances' Deployments, by namespace and name.
func (e *e2e) deployments(ctx context.Context) (map[string]int64, error) {
	var all appsv1.DeploymentList
	if err := e.kube.List(ctx, &all, client.HasLabels{v1alpha1.LabelInstance}); err != nil {
		return nil, fmt.Errorf("listing the instances' Deployments: %w", err)
	}
	generations := map[string]int64{}
	for _, d := range all.Items {
		generations[d.Namespace+"/"+d.Name] = d.Generation
	}
	return generations, nil
}
