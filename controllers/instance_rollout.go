package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	apps "k8s.io/client-go/applyconfigurations/apps/v1"
)

// Annotations of a Deployment itself, which roll nothing: what its pods were made of.
// They outlive the operator, so that the next one knows what an update would roll.
const (
	annotationTemplateHash = "socialops.dev/template-hash"
	annotationSecretHash   = "socialops.dev/secret-hash"
)

// stamp annotates a Deployment with what its pods are made of.
func stamp(d *apps.DeploymentApplyConfiguration, secret map[string][]byte) error {
	template, err := hashOf(d.Spec.Template)
	if err != nil {
		return err
	}
	content, err := hashOf(secret)
	if err != nil {
		return err
	}
	d.WithAnnotations(map[string]string{annotationTemplateHash: template, annotationSecretHash: content})
	return nil
}

const hashDigits = 32

func hashOf(v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])[:hashDigits], nil
}

// waits tells whether an update of a Deployment has to wait in line: it rolls pods, and
// nobody asked for it but the operator that came with another image or template. What
// a manifest or a Secret changes rolls at once. looked tells that the manifest has
// been acted on before.
func waits(live *appsv1.Deployment, want *apps.DeploymentApplyConfiguration, looked bool) bool {
	if live == nil || !looked || live.Spec.Replicas != nil && *live.Spec.Replicas == 0 {
		return false
	}
	return live.Annotations[annotationTemplateHash] != want.Annotations[annotationTemplateHash] &&
		live.Annotations[annotationSecretHash] == want.Annotations[annotationSecretHash]
}

// rolling tells whether a Deployment is replacing pods. One that got stuck is not: it
// must not hold up the others for ever.
func rolling(d *appsv1.Deployment) bool {
	s := &d.Status
	if s.ObservedGeneration < d.Generation {
		return true
	}
	for _, c := range s.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
			return false
		}
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	return s.UpdatedReplicas < want || s.Replicas > s.UpdatedReplicas || s.AvailableReplicas < s.UpdatedReplicas
}

// rollouts lets at most limit instances roll at a time because of the operator. Those
// that roll for other reasons count too.
type rollouts struct {
	limit int
	// seed lists the instances that are rolling, as the cache has them: those that an
	// operator before this one let go.
	seed func() ([]types.NamespacedName, error)

	mu      sync.Mutex
	seeded  bool
	rolling map[types.NamespacedName]bool
	queue   []types.NamespacedName // who waits, in the order of asking
}

// admit tells whether an instance may roll now; if not, it waits in line.
func (r *rollouts) admit(name types.NamespacedName) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.prepare(); err != nil {
		return false, err
	}
	if !r.rolling[name] && len(r.rolling) >= r.limit {
		if !slices.Contains(r.queue, name) {
			r.queue = append(r.queue, name)
		}
		return false, nil
	}
	r.rolling[name] = true
	r.leaveQueue(name)
	return true, nil
}

// settle notes that an instance waits for nothing, and whether it is rolling. It
// returns whose turn it is then.
func (r *rollouts) settle(name types.NamespacedName, rolling bool) []types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveQueue(name)
	return r.note(name, rolling)
}

// note is settle for one that may go on waiting.
func (r *rollouts) note(name types.NamespacedName, rolling bool) []types.NamespacedName {
	if !r.seeded {
		return nil
	}
	if rolling {
		r.rolling[name] = true
	} else {
		delete(r.rolling, name)
	}
	return slices.Clone(r.queue[:min(len(r.queue), max(0, r.limit-len(r.rolling)))])
}

func (r *rollouts) prepare() error {
	if r.seeded {
		return nil
	}
	names, err := r.seed()
	if err != nil {
		return err
	}
	r.rolling = map[types.NamespacedName]bool{}
	for _, n := range names {
		r.rolling[n] = true
	}
	r.seeded = true
	return nil
}

func (r *rollouts) leaveQueue(name types.NamespacedName) {
	if i := slices.Index(r.queue, name); i >= 0 {
		r.queue = slices.Delete(r.queue, i, i+1)
	}
}

func (r *rollouts) count() (rolling, queued int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.Collect(maps.Keys(r.rolling))), len(r.queue)
}
