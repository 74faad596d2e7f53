package controllers

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// memory is what is remembered of instances between reconciles.
type memory struct {
	mu        sync.Mutex
	instances map[types.NamespacedName]*remembered
}

// remembered is what is remembered of one instance. But for what the lock guards,
// only the instance's own reconcile looks at it, and of these there is one at a time.
type remembered struct {
	uid   types.UID
	alias string

	mu      sync.Mutex
	applied map[objectKey]*applied
	buried  map[types.UID]burial

	projection *projection // as Postgres last took it; nil: not yet

	// status is what was last written, and version the instance's resourceVersion since.
	status  *v1alpha1.SocialOpsInstanceStatus
	version string

	tries      int  // of what failed, in a row
	failing    bool // as the log was told
	handedOver bool // spec.replicas of the Deployment is not ours
	doomed     bool // its namespace is being deleted
	rollsOut   bool // by a change of the manifest or a Secret, which doesn't wait in line
}

// of is what is remembered of an instance, nothing if it is another one of that name.
func (m *memory) of(name types.NamespacedName, uid types.UID) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.instances[name]
	if r == nil || r.uid != uid {
		r = &remembered{uid: uid, applied: map[objectKey]*applied{}}
		if m.instances == nil {
			m.instances = map[types.NamespacedName]*remembered{}
		}
		m.instances[name] = r
	}
	return r
}

func (m *memory) peek(name types.NamespacedName) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.instances[name]
}

func (m *memory) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, name)
}

// echo tells whether an event only brings what was applied by ourselves.
func (r *remembered) echo(key objectKey, o client.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.applied[key]
	if a == nil || a.uid != o.GetUID() || a.version != o.GetResourceVersion() {
		return false
	}
	a.seen = fingerprintOf(o)
	return true
}

// burial is what is remembered of an object that left the cache: that it was deleted, or
// that its labels were taken off, and in which version of it.
type burial struct {
	version string
	at      time.Time
}

// buryFor is how long the answer to an apply may be on its way.
const buryFor = 5 * time.Minute

// gone forgets an object that left the cache, as the version given.
func (r *remembered) gone(key objectKey, uid types.UID, version string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.buried, func(_ types.UID, b burial) bool { return now.After(b.at.Add(buryFor)) })
	if r.buried == nil {
		r.buried = map[types.UID]burial{}
	}
	r.buried[uid] = burial{version, now}
	if a := r.applied[key]; a != nil && a.uid == uid && !older(version, a.version) {
		delete(r.applied, key)
	}
}

// holds tells whether an object is still as it was last applied; hash "" stands for
// whatever that was.
func (r *remembered) holds(key objectKey, hash string, live client.Object, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.applied[key]
	return a != nil && (hash == "" || a.hash == hash) && a.holds(live, now)
}

// lags tells whether the cache has yet to see what was applied.
func (r *remembered) lags(key objectKey, live client.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.applied[key]
	return a != nil && (live == nil || older(live.GetResourceVersion(), a.version))
}

// made tells whether we made the object of that name and UID.
func (r *remembered) made(key objectKey, uid types.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.applied[key]
	return a != nil && a.uid == uid
}

// put remembers what was applied, unless it is known to have gone since: that may be
// heard of before the apply is answered.
func (r *remembered) put(key objectKey, a *applied) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, buried := r.buried[a.uid]; !buried || older(b.version, a.version) {
		r.applied[key] = a
	}
}
