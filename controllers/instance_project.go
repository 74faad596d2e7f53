package controllers

import (
	"context"
	"hash/fnv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
)

// How often Postgres is asked whether it still agrees though nothing changed, and how
// often API keys in Secrets without our label are read again.
const (
	projectEvery  = time.Hour
	readKeysEvery = 10 * time.Minute
	claimEvery    = time.Minute     // while somebody else has the alias
	purgeEvery    = 5 * time.Second // while the alias's former data is being removed
	databaseEvery = 30 * time.Second
)

// projection is what an instance was last projected from, and what came of it.
type projection struct {
	generation int64
	rotate     string // the annotation
	epoch      uint64 // of the database
	again      time.Time
	named      map[string]namedSecret // that hold API keys

	conditions []metav1.Condition
	secret     map[string][]byte // for the Secret that pods read
	keys       *desired.KeySecret
}

// namedSecret is a Secret that the manifest names, as it was read; version is empty
// when there was none.
type namedSecret struct {
	version  string
	labelled bool
}

// project has the instance's rows in Postgres made what its manifest and Secrets say,
// unless they are as they were when that was last done.
func (r *instanceReconciler) project(ctx context.Context, p *pass) bool {
	if last := p.memory.projection; last != nil && r.current(ctx, p, last) {
		p.conditions = last.conditions
		p.againAt(r.now(), last.again)
		return true
	}
	c, ok := r.readCredentials(ctx, p)
	if !ok {
		return false
	}
	epoch, now := r.platform.epoch(), r.now()
	result, err := r.platform.Projector.Instance(ctx, project.InstanceInput{
		Manifest: p.instance, Secrets: c.find, Generated: generated(c.keys.Valid), Password: c.password,
	})
	p.conditions = result.Conditions
	switch {
	case err != nil:
		p.memory.projection = nil
		if inbox.CodeOf(err) == "" {
			p.err = err
			return false
		}
		// The database is away or refuses. Pods go on with what they have, and are looked after.
		p.retry(databaseEvery)
		return r.withoutDatabase(p, c)
	case result.Stale: // the cache lags behind what was projected
		p.conditions = p.instance.Status.Conditions
		p.retry(time.Second)
		return false
	case result.ID.IsZero():
		p.memory.projection, p.refused = nil, true
		if c := meta.FindStatusCondition(result.Conditions, v1alpha1.ConditionAliasClaimed); c != nil && c.Reason == v1alpha1.ReasonProgressing {
			p.retry(purgeEvery)
		} else if c != nil && c.Status == metav1.ConditionFalse {
			p.retry(claimEvery)
		}
		return false
	}
	url, err := r.platform.runtimeURL(result.Role, c.password)
	if err != nil {
		p.err = err
		return false
	}
	known := p.memory.projection
	p.memory.projection = &projection{
		generation: p.instance.Generation, rotate: p.instance.Annotations[v1alpha1.AnnotationRotateKeys], epoch: epoch,
		again: projectAgain(p, c, result.Conditions, now), named: c.named, conditions: result.Conditions, keys: c.keys.Secret,
		secret: map[string][]byte{desired.KeyURL: []byte(url), desired.KeyPassword: []byte(c.password), desired.KeyInstanceKey: result.Key},
	}
	p.againAt(now, p.memory.projection.again)
	if known == nil || known.generation != p.instance.Generation {
		r.platform.instanceProjected(p.name)
	}
	r.tellReplaced(p, c)
	return true
}

// current tells whether a projection still says what Postgres should have.
func (r *instanceReconciler) current(ctx context.Context, p *pass, last *projection) bool {
	now := r.now()
	in := p.instance
	if last.generation != in.Generation || last.rotate != in.Annotations[v1alpha1.AnnotationRotateKeys] || last.epoch != r.platform.epoch() || !now.Before(last.again) {
		return false
	}
	own := []string{desired.RuntimeSecretName(in)}
	if last.keys != nil {
		own = append(own, desired.KeySecretName(in))
	}
	for _, name := range own {
		if !p.memory.holds(objectKey{kindSecret.Kind, name}, "", p.cluster.object(kindSecret.Kind, name), now) {
			return false
		}
	}
	for name, read := range last.named {
		o := metadataOf(kindSecret)
		err := r.caches.keys.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, o)
		switch {
		case apierrors.IsNotFound(err) && !read.labelled:
		case err != nil:
			return false
		case o.ResourceVersion != read.version && !older(o.ResourceVersion, read.version):
			return false
		}
	}
	return true
}

// projectAgain is when to project again though nothing tells that anything changed.
func projectAgain(p *pass, c *credentials, conditions []metav1.Condition, now time.Time) time.Time {
	again := now.Add(projectEvery - jitter(p.instance.UID, projectEvery/5))
	earlier := func(t time.Time) {
		if t.Before(again) {
			again = t
		}
	}
	for _, n := range c.named {
		if n.version == "" {
			earlier(now.Add(missingFor(conditions, now)))
		} else if !n.labelled {
			earlier(now.Add(readKeysEvery - jitter(p.instance.UID, readKeysEvery/5)))
		}
	}
	if !c.keys.CheckAt.IsZero() {
		earlier(c.keys.CheckAt)
	}
	return again
}

// missingFor is how soon to look again for a Secret that is missing: the longer it has
// been, the later.
func missingFor(conditions []metav1.Condition, now time.Time) time.Duration {
	age := time.Duration(0)
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionKeysReady); c != nil && c.Status == metav1.ConditionFalse {
		age = now.Sub(c.LastTransitionTime.Time)
	}
	return min(max(age/4, 2*time.Second), retryMissing)
}

// jitter spreads what is due once in a while, the same for the same instance.
func jitter(uid types.UID, within time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(uid)) // never fails
	return time.Duration(h.Sum32()%1000) * within / 1000
}

// withoutDatabase tells whether the objects can be made though nobody can be asked:
// if the Secrets that an earlier projection made are all there.
func (r *instanceReconciler) withoutDatabase(p *pass, c *credentials) bool {
	claimed := meta.IsStatusConditionTrue(p.instance.Status.Conditions, v1alpha1.ConditionAliasClaimed)
	complete := c.runtime != nil && !c.fresh && len(c.runtime.Data[desired.KeyURL]) > 0 && len(c.runtime.Data[desired.KeyInstanceKey]) > 0
	if !claimed || !complete || c.keys.Made {
		return false
	}
	p.secret, p.keys = c.runtime.Data, c.keys.Secret
	return true
}
