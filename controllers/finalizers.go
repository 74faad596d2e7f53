package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// ReleaseOptions is what [ReleaseFinalizers] is told.
type ReleaseOptions struct {
	RESTConfig      *rest.Config
	Namespace       string   // of OperatorDeployment
	WatchNamespaces []string // none: all
	// OperatorDeployment is scaled to 0 before, as an operator that runs puts finalizers
	// back; "": none runs.
	OperatorDeployment string
	Log                *slog.Logger
}

// ourFinalizers are those that only an operator removes.
var ourFinalizers = []string{v1alpha1.FinalizerData, v1alpha1.FinalizerWebhook}

const (
	stoppedWithin = 90 * time.Second // a pod's grace and some
	releasePage   = 500
)

// ReleaseFinalizers takes this operator's finalizers off everything that it looked
// after, so that it all can be deleted once no operator is left to do it. Data stays
// where it is. It is no error if the CRDs are gone already, or a namespace is.
func ReleaseFinalizers(ctx context.Context, o ReleaseOptions) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	c, err := client.New(o.RESTConfig, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("connecting to the Kubernetes API server: %w", err)
	}
	if o.OperatorDeployment != "" {
		if err := stopOperator(ctx, c, types.NamespacedName{Namespace: o.Namespace, Name: o.OperatorDeployment}); err != nil {
			return err
		}
	}
	namespaces := o.WatchNamespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var errs []error
	for _, namespace := range namespaces {
		for _, list := range []client.ObjectList{&v1alpha1.SocialOpsInstanceList{}, &v1alpha1.ChannelBindingList{}} {
			n, err := releaseAll(ctx, c, list, namespace)
			if errors.Is(err, errMayNotLook) {
				o.Log.WarnContext(ctx, "not released: the namespace was deleted, and the Role there with it, or somebody deleted the Role", "namespace", namespace, "error", err)
				break
			}
			errs = append(errs, err)
			if n > 0 {
				o.Log.InfoContext(ctx, "released", "objects", n, "of", fmt.Sprintf("%T", list), "namespace", namespace)
			}
		}
	}
	return errors.Join(errs...)
}

// errMayNotLook is said of a namespace by its name. One that was deleted took the Role
// along that let us look, so that it looks like this.
var errMayNotLook = errors.New("it may not be looked into")

// stopOperator scales the operator's Deployment to 0 and waits until it has no pods.
func stopOperator(ctx context.Context, c client.Client, name types.NamespacedName) error {
	d := &appsv1.Deployment{}
	d.Namespace, d.Name = name.Namespace, name.Name
	none := &autoscalingv1.Scale{}
	err := c.SubResource("scale").Patch(ctx, d, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":0}}`)), client.WithSubResourceBody(none))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stopping the operator %s: %w", name, err)
	}
	err = wait.PollUntilContextTimeout(ctx, time.Second, stoppedWithin, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, name, d)
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		leaving := d.Status.TerminatingReplicas // nil where the cluster doesn't count them
		stopped := d.Status.Replicas == 0 && (leaving == nil || *leaving == 0)
		return err == nil && d.Status.ObservedGeneration >= d.Generation && stopped, client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("waiting for the operator %s to stop: %w", name, err)
	}
	return nil
}

// releaseAll goes through one kind in one namespace, page by page.
func releaseAll(ctx context.Context, c client.Client, list client.ObjectList, namespace string) (released int, err error) {
	var errs []error
	for next := ""; ; {
		err := c.List(ctx, list, client.InNamespace(namespace), client.Limit(releasePage), client.Continue(next))
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) { // the CRD is gone, or the namespace
			return released, errors.Join(errs...)
		}
		if apierrors.IsForbidden(err) && namespace != metav1.NamespaceAll {
			err = fmt.Errorf("%w: %w", errMayNotLook, err)
		}
		if err != nil {
			return released, errors.Join(append(errs, fmt.Errorf("listing in namespace %q: %w", namespace, err))...)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			o, ok := item.(client.Object)
			if !ok || !slices.ContainsFunc(o.GetFinalizers(), isOurs) {
				return nil
			}
			if err := releaseOne(ctx, c, o); err != nil {
				errs = append(errs, err)
				return nil
			}
			released++
			return nil
		})
		if err != nil {
			return released, errors.Join(append(errs, fmt.Errorf("reading a list in namespace %q: %w", namespace, err))...)
		}
		if next = list.GetContinue(); next == "" {
			return released, errors.Join(errs...)
		}
	}
}

func isOurs(finalizer string) bool { return slices.Contains(ourFinalizers, finalizer) }

// releaseOne takes our finalizers off, and nobody else's: it fails on a conflict.
func releaseOne(ctx context.Context, c client.Client, o client.Object) error {
	kept := slices.DeleteFunc(slices.Clone(o.GetFinalizers()), isOurs)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"finalizers": kept, "resourceVersion": o.GetResourceVersion()}})
	if err == nil {
		err = c.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch))
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("releasing %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	return nil
}

// setFinalizer changes one of our finalizers and nobody else's: the list is written
// whole, so only onto the version that was read.
func setFinalizer(ctx context.Context, c client.Client, kind string, of client.Object, finalizer string, on bool) error {
	o := metadataOf(v1alpha1.GroupVersion.WithKind(kind))
	o.Namespace, o.Name, o.ResourceVersion, o.Finalizers = of.GetNamespace(), of.GetName(), of.GetResourceVersion(), slices.Clone(of.GetFinalizers())
	base := o.DeepCopy()
	if on {
		controllerutil.AddFinalizer(o, finalizer)
	} else {
		controllerutil.RemoveFinalizer(o, finalizer)
	}
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, o, patch, client.FieldOwner(desired.FieldManager)); err != nil {
		return fmt.Errorf("setting the finalizer: %w", err)
	}
	of.SetFinalizers(o.Finalizers)
	of.SetResourceVersion(o.ResourceVersion)
	return nil
}

// The generator overlooks a marker in a function's own comment.
//
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// namespaceTerminating tells whether a namespace is being deleted; false where that
// may not be read. It asks the API server.
func namespaceTerminating(ctx context.Context, live client.Reader, namespace string) bool {
	n := &corev1.Namespace{}
	err := live.Get(ctx, client.ObjectKey{Name: namespace}, n)
	return err == nil && (n.DeletionTimestamp != nil || n.Status.Phase == corev1.NamespaceTerminating)
}
