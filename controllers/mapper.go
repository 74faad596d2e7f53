package controllers

import (
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// mapper remembers what a kind's resource is, which clients and caches ask with every
// call, and which takes longer to find out than the rest of a read from a cache. What
// a cluster has no resource for is asked again each time.
type mapper struct {
	meta.RESTMapper
	known sync.Map // of mappingKey to *meta.RESTMapping
}

type mappingKey struct {
	schema.GroupKind
	version string
}

func newMapper(c *rest.Config, h *http.Client) (meta.RESTMapper, error) {
	m, err := apiutil.NewDynamicRESTMapper(c, h)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	return &mapper{RESTMapper: m}, nil
}

// RESTMapping implements [meta.RESTMapper].
func (m *mapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if len(versions) != 1 {
		return m.RESTMapper.RESTMapping(gk, versions...) //nolint:wrapcheck // callers look at its type
	}
	key := mappingKey{gk, versions[0]}
	if known, ok := m.known.Load(key); ok {
		return known.(*meta.RESTMapping), nil
	}
	found, err := m.RESTMapper.RESTMapping(gk, versions...)
	if err == nil {
		m.known.Store(key, found)
	}
	return found, err //nolint:wrapcheck // callers look at its type
}
