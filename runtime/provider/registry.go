package provider

import (
	"maps"
	"slices"
)

// Registry is the providers of a binary, by name.
type Registry map[string]Provider

// NewRegistry collects providers. Two of one name are a programming error.
func NewRegistry(providers ...Provider) Registry {
	r := make(Registry, len(providers))
	for _, p := range providers {
		if _, twice := r[p.Name()]; twice {
			panic("provider registered twice: " + p.Name())
		}
		r[p.Name()] = p
	}
	return r
}

// Names lists the providers in alphabetical order.
func (r Registry) Names() []string { return slices.Sorted(maps.Keys(r)) }
