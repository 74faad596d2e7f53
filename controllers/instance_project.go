package controllers

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
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

// credentials are what an instance and its callers authenticate with.
type credentials struct {
	runtime  *corev1.Secret // that pods read; nil: missing
	password string         // of the instance's role
	fresh    bool           // the password was made just now
	keys     desired.Keys   // generated ones
	named    map[string]namedSecret
	secrets  map[string]*corev1.Secret // those that the manifest names
}

// find implements [project.Secrets].
func (c *credentials) find(namespace, name string) *project.Secret {
	s := c.secrets[name]
	if s == nil {
		return nil
	}
	return &project.Secret{Namespace: namespace, Name: name, Labels: s.Labels, Annotations: s.Annotations, Data: s.Data}
}

// readCredentials reads the instance's Secrets, and makes up what is missing. Who edits
// the password or the key in a Secret has another one from then on; what can't be one
// is replaced.
func (r *instanceReconciler) readCredentials(ctx context.Context, p *pass) (*credentials, bool) {
	in := p.instance
	c := &credentials{named: map[string]namedSecret{}, secrets: map[string]*corev1.Secret{}}
	var ok bool
	if c.runtime, ok = r.readOwn(ctx, p, v1alpha1.ConditionPodsReady, desired.RuntimeSecretName(in)); !ok {
		return nil, false
	}
	if c.runtime != nil {
		c.password = string(c.runtime.Data[desired.KeyPassword])
	}
	if !validPassword(c.password) {
		c.password, c.fresh = rand.Text()+rand.Text(), true
	}
	var held *desired.KeySecret
	if len(in.Spec.APIKeys) == 0 {
		s, ok := r.readOwn(ctx, p, v1alpha1.ConditionKeysReady, desired.KeySecretName(in))
		if !ok {
			return nil, false
		}
		if s != nil {
			held = desired.ReadKeySecret(s.Data, s.Annotations)
		}
	}
	c.keys = desired.GenerateKeys(in, held, r.now(), project.GenerateKey, project.ValidKey)
	for _, k := range in.Spec.APIKeys {
		name := k.SecretRef.Name
		if _, read := c.named[name]; read {
			continue
		}
		s := &corev1.Secret{}
		switch err := r.live.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, s); {
		case apierrors.IsNotFound(err):
			c.named[name] = namedSecret{}
		case err != nil:
			p.add(v1alpha1.ConditionKeysReady, explain(err, fmt.Sprintf("to read the Secret %q", name)))
			return nil, false
		default:
			_, labelled := s.Labels[v1alpha1.LabelAPIKey]
			c.secrets[name], c.named[name] = s, namedSecret{s.ResourceVersion, labelled}
		}
	}
	return c, true
}

// readOwn reads a Secret that the operator makes, nil when it is missing.
func (r *instanceReconciler) readOwn(ctx context.Context, p *pass, condition, name string) (*corev1.Secret, bool) {
	s := &corev1.Secret{}
	switch err := r.live.Get(ctx, client.ObjectKey{Namespace: p.name.Namespace, Name: name}, s); {
	case apierrors.IsNotFound(err):
		if p.free == nil {
			p.free = map[objectKey]bool{}
		}
		p.free[objectKey{kindSecret.Kind, name}] = true
		return nil, true
	case err != nil:
		p.add(condition, explain(err, fmt.Sprintf("to read the Secret %q", name)))
		return nil, false
	}
	s.SetGroupVersionKind(kindSecret)
	if err := r.applier.claim(ctx, p.instance, p.memory, kindSecret.Kind, s); err != nil {
		p.add(condition, problemOf(err, object(kindSecret.Kind, name)))
		return nil, false
	}
	if s.DeletionTimestamp != nil { // somebody's finalizer holds what is as good as gone
		return nil, true
	}
	return s, true
}

const shortestPassword = 16

// validPassword tells whether a text can be a role's password: printable ASCII
// without blanks, and not short.
func validPassword(s string) bool {
	return len(s) >= shortestPassword && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func generated(keys []desired.GeneratedKey) []project.GeneratedKey {
	out := make([]project.GeneratedKey, len(keys))
	for i, k := range keys {
		out[i] = project.GeneratedKey(k)
	}
	return out
}

// tellReplaced notes the Events of credentials that were replaced, for when the new
// ones are in their Secrets.
func (r *instanceReconciler) tellReplaced(p *pass, c *credentials) {
	in := p.instance
	if c.fresh && meta.FindStatusCondition(in.Status.Conditions, v1alpha1.ConditionDatabaseReady) != nil {
		p.notes = append(p.notes, note{
			corev1.EventTypeNormal, eventRoleReplaced, actionReconcile,
			fmt.Sprintf("the Secret %s had no password: the instance's database role has a new one, and the old one ends; pods are replaced", desired.RuntimeSecretName(in)),
		})
	}
	name := desired.KeySecretName(in)
	switch {
	case c.keys.Rotated:
		p.notes = append(p.notes, note{
			corev1.EventTypeNormal, eventKeyRotated, actionReconcile,
			fmt.Sprintf("the Secret %s holds a new API key; the one before it is valid until %s", name, c.keys.Secret.PreviousExpires.Format(time.RFC3339)),
		})
	case c.keys.Made && in.Status.KeySecretName == name:
		p.notes = append(p.notes, note{
			corev1.EventTypeNormal, eventKeyReplaced, actionReconcile,
			fmt.Sprintf("the Secret %s had no API key: it holds a new one, and the old one ends", name),
		})
	}
}
