// Package manifests reads a folder of YAML as a cluster would take it: the documents
// are decoded strictly, given the CRDs' defaults and validated by the CRDs' own
// schemas and CEL rules, so that a folder of bad manifests gives the messages that
// kubectl apply gives, without a cluster. What was there before counts too: a rule
// that compares with the earlier version is asked, and a manifest that is refused
// leaves the earlier version in force, as a refused apply changes nothing.
//
// Schemas and rules are built on first use, so that a process that never reads a
// folder pays for none of it.
package manifests

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/open4x/socialops/api/v1alpha1"
)

// DefaultNamespace is where an object belongs that names no namespace.
const DefaultNamespace = "default"

// Set is what a folder holds. Each list is in the order of namespace and name.
type Set struct {
	// Instances and Bindings have their defaults, a UID that stays while the object
	// stays, and a generation that counts the changes of its spec.
	Instances []*v1alpha1.SocialOpsInstance
	Bindings  []*v1alpha1.ChannelBinding
	Secrets   []*Secret

	// Problems is what was refused, in the order of files, documents and fields.
	Problems []Problem
	// Notes is what was passed over, for a person to know.
	Notes []Note

	sources map[key]Source
}

// Source is where in the folder something stands.
type Source struct {
	File     string `json:"file"`               // its name in the folder
	Document int    `json:"document,omitempty"` // from 1; 0 when the file holds only one
}

func (s Source) String() string {
	if s.Document == 0 {
		return s.File
	}
	return fmt.Sprintf("%s (document %d)", s.File, s.Document)
}

// Problem is one reason why a manifest was refused.
type Problem struct {
	Source
	Kind, Namespace, Name string // empty where the document could not be read so far
	Field                 string // such as "spec.alias"; empty when it is about the whole
	Message               string // as an API server words it
}

// Error is the problem on one line, such as
//
//	support.yaml: SocialOpsInstance "support": spec.alias: Invalid value: "Support": must be …
func (p Problem) Error() string {
	parts := []string{p.String()}
	if p.Kind != "" {
		parts = append(parts, objectName(p.Kind, p.Namespace, p.Name))
	}
	if p.Field != "" {
		parts = append(parts, p.Field)
	}
	return strings.Join(append(parts, p.Message), ": ")
}

// Note says what was passed over, and why.
type Note struct {
	Source
	Message string
}

func (n Note) String() string { return n.Source.String() + ": " + n.Message }

// Source tells where an object of the set stands, or stood when it was last valid.
func (s *Set) Source(kind, namespace, name string) (Source, bool) {
	source, ok := s.sources[key{kind, namespace, name}]
	return source, ok
}

// Instance finds an instance by namespace and name, or nil.
func (s *Set) Instance(namespace, name string) *v1alpha1.SocialOpsInstance {
	return find(s.Instances, namespace, name)
}

// Binding finds a binding by namespace and name, or nil.
func (s *Set) Binding(namespace, name string) *v1alpha1.ChannelBinding {
	return find(s.Bindings, namespace, name)
}

// Secret finds a Secret by namespace and name, or nil.
func (s *Set) Secret(namespace, name string) *Secret {
	return find(s.Secrets, namespace, name)
}

// Read reads the manifests of a folder: its *.yaml, *.yml and *.json, not those of
// folders in it. earlier is what the last Read or [Load] gave, or nil; Read keeps no
// hold of it. The error is that the folder can't be read at all; what is wrong with
// single manifests is in the set's Problems.
func Read(ctx context.Context, dir string, earlier *Set) (*Set, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if earlier == nil {
		earlier = &Set{}
	}
	r := reader{earlier: earlier, set: &Set{sources: map[key]Source{}}, unread: map[string]bool{}}
	for _, entry := range entries { // in alphabetical order
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading manifests: %w", err)
		}
		if isManifest(entry.Name()) {
			r.file(ctx, dir, entry.Name())
		}
	}
	r.keepUnread()
	return r.set.sorted(), nil
}

// key names an object of a set.
type key struct{ kind, namespace, name string }

type object interface {
	comparable
	GetNamespace() string
	GetName() string
}

func byName[T object](a, b T) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

func find[T object](sorted []T, namespace, name string) T {
	i, ok := slices.BinarySearchFunc(sorted, key{"", namespace, name}, func(o T, k key) int {
		return cmp.Or(cmp.Compare(o.GetNamespace(), k.namespace), cmp.Compare(o.GetName(), k.name))
	})
	if !ok {
		var none T
		return none
	}
	return sorted[i]
}

func (s *Set) sorted() *Set {
	slices.SortFunc(s.Instances, byName)
	slices.SortFunc(s.Bindings, byName)
	slices.SortFunc(s.Secrets, byName)
	return s
}

func objectName(kind, namespace, name string) string {
	if namespace != "" && namespace != DefaultNamespace {
		name = namespace + "/" + name
	}
	return fmt.Sprintf("%s %q", kind, name)
}
