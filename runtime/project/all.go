package project

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Manifests are all that an install has, as the dev mode reads them from a folder.
type Manifests struct {
	Instances []InstanceInput // Secrets may be left out
	Bindings  []*v1alpha1.ChannelBinding
	Secrets   []*Secret
}

// Name is an object's namespace and name.
type Name struct{ Namespace, Name string }

func (n Name) String() string { return n.Namespace + "/" + n.Name }

// Results is what became of a whole set of manifests.
type Results struct {
	Instances map[Name]InstanceResult
	Bindings  map[Name]BindingResult
	Accounts  map[Name]AccountResult
	// Purging tells that [Projector.Purge] has something to remove.
	Purging bool
	// CheckAt is when to project the set again though nothing changed; zero: never.
	CheckAt time.Time
}

func (r *Results) checkAt(t time.Time) { r.CheckAt = earlier(r.CheckAt, t) }

// All projects a whole set of manifests, and removes what is not in it any more.
// One that fails keeps no other out; the errors are joined, and mean: try again.
// A second pass over the same manifests changes nothing.
func (p *Projector) All(ctx context.Context, m Manifests) (Results, error) {
	m.Instances, m.Bindings = slices.Clone(m.Instances), slices.Clone(m.Bindings) // they are sorted
	a := &allPass{p: p, ctx: ctx, m: m, results: Results{
		Instances: map[Name]InstanceResult{}, Bindings: map[Name]BindingResult{}, Accounts: map[Name]AccountResult{},
	}}
	// What is gone goes first, so that aliases' bots and chats are free for what came.
	a.sweep()
	a.instances()
	a.accounts()
	a.bindings()
	a.results.checkAt(a.forget())
	return a.results, errors.Join(a.errs...)
}

type allPass struct {
	p       *Projector
	ctx     context.Context
	m       Manifests
	results Results
	errs    []error
	gone    []Name // accounts without a Secret
}

func (a *allPass) failed(err error) {
	if err != nil {
		a.errs = append(a.errs, err)
	}
}

// sweep puts out of force what has no manifest any more, but for accounts that bindings still use.
func (a *allPass) sweep() {
	swept, err := a.p.Sweep(a.ctx, func(string) bool { return true }, func(context.Context) (Listed, error) { return a.listed(), nil })
	a.failed(err)
	a.results.Purging, a.gone = swept.Purging, swept.Accounts
	_ = a.forget() // those that bindings still use follow at the end
}

func (a *allPass) listed() Listed {
	l := NewListed()
	for _, in := range a.m.Instances {
		l.Instances[Name{in.Manifest.Namespace, in.Manifest.Name}] = struct{}{}
	}
	for _, b := range a.m.Bindings {
		l.Bindings[Name{b.Namespace, b.Name}] = struct{}{}
	}
	for _, s := range a.m.Secrets {
		if IsAccount(s) {
			l.Accounts[Name{s.Namespace, s.Name}] = struct{}{}
		}
	}
	return l
}

// forget removes accounts without a Secret; those that bindings still use only
// after these were projected.
func (a *allPass) forget() (again time.Time) {
	for _, name := range a.gone {
		at, err := a.p.RemoveAccount(a.ctx, name.Namespace, name.Name)
		if !at.IsZero() {
			again = at
		}
		a.failed(err)
	}
	return again
}

func (a *allPass) instances() {
	slices.SortStableFunc(a.m.Instances, func(x, y InstanceInput) int { return older(x.Manifest, y.Manifest) })
	for _, in := range a.m.Instances {
		if in.Secrets == nil {
			in.Secrets = a.secret
		}
		result, err := a.p.Instance(a.ctx, in)
		a.results.Instances[Name{in.Manifest.Namespace, in.Manifest.Name}] = result
		a.failed(err)
	}
}

func (a *allPass) accounts() {
	for _, s := range a.m.Secrets {
		if !IsAccount(s) {
			continue
		}
		result, err := a.p.Account(a.ctx, s)
		a.results.Accounts[Name{s.Namespace, s.Name}] = result
		a.results.checkAt(result.CheckAt)
		a.failed(err)
	}
}

// bindings projects those first that take nothing, as others may wait for what they give up.
func (a *allPass) bindings() {
	slices.SortStableFunc(a.m.Bindings, func(x, y *v1alpha1.ChannelBinding) int {
		rank := func(b *v1alpha1.ChannelBinding) int {
			if b.Spec.IsActive() {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(x), rank(y)), older(x, y))
	})
	for _, b := range a.m.Bindings {
		result, err := a.p.Binding(a.ctx, b, a.instance(Name{b.Namespace, b.Spec.InstanceRef.Name}))
		a.results.Bindings[Name{b.Namespace, b.Name}] = result
		a.results.checkAt(result.CheckAt)
		a.failed(err)
	}
}

// older orders objects: what is older comes first.
func older(x, y metav1.Object) int {
	return cmp.Or(x.GetCreationTimestamp().Compare(y.GetCreationTimestamp().Time),
		cmp.Compare(x.GetNamespace(), y.GetNamespace()), cmp.Compare(x.GetName(), y.GetName()))
}

func (a *allPass) instance(name Name) *v1alpha1.SocialOpsInstance {
	for _, in := range a.m.Instances {
		if in.Manifest.Namespace == name.Namespace && in.Manifest.Name == name.Name {
			return in.Manifest
		}
	}
	return nil
}

func (a *allPass) secret(namespace, name string) *Secret {
	for _, s := range a.m.Secrets {
		if s.Namespace == namespace && s.Name == name {
			return s
		}
	}
	return nil
}
