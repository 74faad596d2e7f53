package controllers

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
)

// bindingMemory is what is remembered of bindings between reconciles. The zero value
// remembers nothing yet.
type bindingMemory struct {
	mu     sync.Mutex
	known  map[types.NamespacedName]*knownBinding
	losers map[types.NamespacedName]struct{} // somebody else has the chat or the bot
	done   map[types.NamespacedName]struct{} // deleted, and the channel closed
}

// knownBinding is what is remembered of one binding. But for asked only its own
// reconcile looks at it, and of these there is one at a time.
type knownBinding struct {
	uid   types.UID
	asked atomic.Uint64 // counts who wanted another look at it

	last   *projectedBinding // as Postgres last took it; nil: not yet
	claims *claims           // nil: not yet known

	// status is what was last written, and version the binding's resourceVersion since.
	status  *v1alpha1.ChannelBindingStatus
	version string
}

// projectedBinding is what a binding was last projected from, and what came of it.
type projectedBinding struct {
	generation int64
	epoch      uint64 // of the database
	asked      uint64
	again      time.Time
	result     project.BindingResult
}

// claims are what a binding keeps from others.
type claims struct {
	bound    bool
	holding  bool // a webhook that is to be removed
	account  string
	external string
}

func claimsOf(b *v1alpha1.ChannelBinding, result project.BindingResult) claims {
	bound := isTrue(result.Conditions, v1alpha1.ConditionChannelBound)
	return claims{
		bound: bound, holding: !bound && !result.CheckAt.IsZero(),
		account: b.Spec.ConnectedAccountRef.Name, external: b.Spec.ExternalChannelID,
	}
}

// of is what is remembered of a binding, nothing if it is another one of that name.
func (m *bindingMemory) of(name types.NamespacedName, uid types.UID) *knownBinding {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.done, name)
	k := m.known[name]
	if k == nil || k.uid != uid {
		k = &knownBinding{uid: uid}
		if m.known == nil {
			m.known = map[types.NamespacedName]*knownBinding{}
		}
		m.known[name] = k
	}
	return k
}

// ask has what is remembered of a binding count for nothing.
func (m *bindingMemory) ask(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.known[name]; k != nil {
		k.asked.Add(1)
	}
}

func (m *bindingMemory) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, name)
	delete(m.losers, name)
	delete(m.done, name)
}

// close forgets a binding that is about to go, but for that its channel is closed.
func (m *bindingMemory) close(name types.NamespacedName) {
	m.forget(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done == nil {
		m.done = map[types.NamespacedName]struct{}{}
	}
	m.done[name] = struct{}{}
}

// closed tells whether the channel of a binding that is gone was closed before, once.
func (m *bindingMemory) closed(name types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, closed := m.done[name]
	delete(m.done, name)
	return closed
}

// loses notes whether somebody else has what a binding wants.
func (m *bindingMemory) loses(name types.NamespacedName, loses bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !loses {
		delete(m.losers, name)
		return
	}
	if m.losers == nil {
		m.losers = map[types.NamespacedName]struct{}{}
	}
	m.losers[name] = struct{}{}
}

func (m *bindingMemory) allLosers() []types.NamespacedName {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.losers))
}
