package controllers

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/project"
)

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
	if c.fresh && in.Status.URL != "" { // else nothing was applied yet: this is its first password
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
