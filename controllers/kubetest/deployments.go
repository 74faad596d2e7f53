package kubetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Deployments does the Deployment controller's part for pods that come up at once: the
// status of what is deployed, and the annotation of its revision.
type Deployments struct {
	// Namespace is the one that it looks after; empty: all.
	Namespace string
	// Ready tells whether a Deployment's pods are; nil: always. It is asked when the
	// Deployment changes.
	Ready func(*appsv1.Deployment) bool

	client    client.WithWatch
	mu        sync.Mutex
	revisions map[types.UID]revision
}

type revision struct {
	template uint64
	number   int
}

// revisionAnnotation is written by the real controller, into metadata that others own.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// RunDeployments runs the fake Deployment controller in the test's namespace until the
// test ends.
func (e *Env) RunDeployments(t testing.TB, ready func(*appsv1.Deployment) bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- (&Deployments{Namespace: e.Namespace, Ready: ready}).Run(ctx, e.Config) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the fake Deployment controller: %v", err)
		}
	})
}

const deploymentWorkers = 4

// Run runs until ctx ends, which is no error.
func (d *Deployments) Run(ctx context.Context, config *rest.Config) error {
	config = rest.CopyConfig(config)
	config.UserAgent = "deployment-controller"
	var err error
	if d.client, err = client.NewWithWatch(config, client.Options{Scheme: Scheme()}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	d.revisions = map[types.UID]revision{}
	queue := make(chan *appsv1.Deployment)
	failed := make(chan error, deploymentWorkers+1)
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	for range deploymentWorkers {
		workers.Go(func() {
			for deployment := range queue {
				if err := d.reconcile(ctx, deployment); err != nil && ctx.Err() == nil {
					failed <- err
					cancel()
					return
				}
			}
		})
	}
	for ctx.Err() == nil {
		if err := d.watch(ctx, queue); err != nil && ctx.Err() == nil {
			failed <- err
			break
		}
	}
	cancel()
	close(queue)
	workers.Wait()
	close(failed)
	return errors.Join(<-failed)
}

func (d *Deployments) watch(ctx context.Context, queue chan<- *appsv1.Deployment) error {
	// A watch that begins with very many objects may be ended for being slow.
	var list appsv1.DeploymentList
	if err := d.client.List(ctx, &list, client.InNamespace(d.Namespace)); err != nil {
		return fmt.Errorf("listing Deployments: %w", err)
	}
	for i := range list.Items {
		select {
		case queue <- &list.Items[i]:
		case <-ctx.Done():
			return nil
		}
	}
	w, err := d.client.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(d.Namespace),
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}})
	if err != nil {
		return fmt.Errorf("watching Deployments: %w", err)
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-w.ResultChan():
			if !open {
				return nil
			}
			if event.Type == watch.Error {
				if err := apierrors.FromObject(event.Object); apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
					return nil // it is listed again
				}
				return fmt.Errorf("watching Deployments: %w", apierrors.FromObject(event.Object))
			}
			deployment, is := event.Object.(*appsv1.Deployment)
			if !is || event.Type == watch.Deleted || event.Type == watch.Bookmark {
				continue
			}
			select {
			case queue <- deployment:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (d *Deployments) reconcile(ctx context.Context, deployment *appsv1.Deployment) error {
	if number := d.revision(deployment); deployment.Annotations[revisionAnnotation] != number {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, revisionAnnotation, number)
		err := d.client.Patch(ctx, deployment, client.RawPatch(types.StrategicMergePatchType, []byte(patch)))
		if err := client.IgnoreNotFound(err); err != nil {
			return fmt.Errorf("annotating a Deployment: %w", err)
		}
		return nil // its event brings the rest
	}
	want := statusOf(deployment, d.Ready == nil || d.Ready(deployment))
	if sameStatus(&deployment.Status, &want) {
		return nil
	}
	patch, err := statusPatch(&want)
	if err != nil {
		return fmt.Errorf("writing a Deployment's status: %w", err)
	}
	err = d.client.Status().Patch(ctx, deployment, client.RawPatch(types.MergePatchType, patch))
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("writing a Deployment's status: %w", err)
	}
	return nil
}

// statusPatch names what is zero, too: left out, it would stay what it was.
func statusPatch(s *appsv1.DeploymentStatus) ([]byte, error) {
	return json.Marshal(map[string]any{"status": map[string]any{
		"observedGeneration": s.ObservedGeneration, "replicas": s.Replicas, "updatedReplicas": s.UpdatedReplicas, "readyReplicas": s.ReadyReplicas,
		"availableReplicas": s.AvailableReplicas, "unavailableReplicas": s.UnavailableReplicas, "conditions": s.Conditions,
	}})
}

// revision counts the templates that a Deployment has had.
func (d *Deployments) revision(deployment *appsv1.Deployment) string {
	template, err := json.Marshal(deployment.Spec.Template)
	if err != nil {
		panic(err) // it came as JSON
	}
	h := fnv.New64a()
	_, _ = h.Write(template) // never fails
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.revisions[deployment.UID]
	if r.template != h.Sum64() {
		r = revision{template: h.Sum64(), number: r.number + 1}
		d.revisions[deployment.UID] = r
	}
	return strconv.Itoa(r.number)
}

func statusOf(deployment *appsv1.Deployment, ready bool) appsv1.DeploymentStatus {
	replicas := int32(1)
	if deployment.Spec.Replicas != nil {
		replicas = *deployment.Spec.Replicas
	}
	s := appsv1.DeploymentStatus{ObservedGeneration: deployment.Generation, Replicas: replicas, UpdatedReplicas: replicas}
	available, why := corev1.ConditionFalse, "MinimumReplicasUnavailable"
	progress := "ReplicaSetUpdated"
	if ready {
		s.ReadyReplicas, s.AvailableReplicas = replicas, replicas
		available, why, progress = corev1.ConditionTrue, "MinimumReplicasAvailable", "NewReplicaSetAvailable"
	} else {
		s.UnavailableReplicas = replicas
	}
	now := metav1.Now()
	s.Conditions = []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Status: available, Reason: why, LastUpdateTime: now, LastTransitionTime: now},
		{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: progress, LastUpdateTime: now, LastTransitionTime: now},
	}
	return s
}

// sameStatus compares what [Deployments] writes, without times and messages.
func sameStatus(a, b *appsv1.DeploymentStatus) bool {
	counts := func(s *appsv1.DeploymentStatus) [5]int64 {
		return [5]int64{s.ObservedGeneration, int64(s.Replicas), int64(s.UpdatedReplicas), int64(s.ReadyReplicas), int64(s.AvailableReplicas)}
	}
	return counts(a) == counts(b) && reason(a, appsv1.DeploymentAvailable) == reason(b, appsv1.DeploymentAvailable) &&
		reason(a, appsv1.DeploymentProgressing) == reason(b, appsv1.DeploymentProgressing)
}

func reason(s *appsv1.DeploymentStatus, kind appsv1.DeploymentConditionType) string {
	for _, c := range s.Conditions {
		if c.Type == kind {
			return c.Reason
		}
	}
	return ""
}

// Flip writes into the status of a namespace's Deployments, in turns and so often a
// second, what changes all the time on a busy cluster and means nothing to who owns
// them. It runs until ctx ends, which is no error, and returns how often it wrote.
// An empty namespace means all of them.
func Flip(ctx context.Context, config *rest.Config, namespace string, perSecond int) (int, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = "flipper"
	c, err := client.New(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return 0, fmt.Errorf("making a client: %w", err)
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("DeploymentList"))
	if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return 0, fmt.Errorf("listing Deployments: %w", err)
	}
	if len(list.Items) == 0 {
		return 0, errors.New("there are no Deployments")
	}
	ticks := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticks.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-ticks.C:
		}
		at := list.Items[n%len(list.Items)]
		patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable","message":"looked at %d times","lastUpdateTime":%q}]}}`,
			n, time.Now().UTC().Format(time.RFC3339))
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: at.Namespace, Name: at.Name}}
		if err := c.Status().Patch(ctx, d, client.RawPatch(types.StrategicMergePatchType, []byte(patch))); err != nil && ctx.Err() == nil {
			return n, fmt.Errorf("flipping a Deployment's status: %w", err)
		}
	}
}
