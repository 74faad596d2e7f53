package controllers

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// objectKey names an object within an instance's namespace.
type objectKey struct{ kind, name string }

// applied is what is remembered of an object that was applied.
type applied struct {
	hash    string // of what was applied
	uid     types.UID
	version string      // the object's resourceVersion after that
	seen    fingerprint // of the object as it was then; 0: not known
	at      time.Time
}

// cacheLag is how long an object that was made may be missing in the cache.
const cacheLag = 15 * time.Second

// holds tells whether the object is still as it was applied, so that there is nothing
// to do. live is the cached object, nil when the cache has none: the cache may lag
// behind what was applied, and never counts as news then.
func (a *applied) holds(live client.Object, now time.Time) bool {
	switch {
	case a == nil:
		return false
	case live == nil:
		return now.Before(a.at.Add(cacheLag))
	case live.GetUID() != a.uid, live.GetDeletionTimestamp() != nil:
		return false
	case live.GetResourceVersion() == a.version:
		a.seen = fingerprintOf(live)
		return true
	case older(live.GetResourceVersion(), a.version):
		return true
	default:
		return a.seen != 0 && fingerprintOf(live) == a.seen
	}
}

// older compares resourceVersions of one object.
func older(a, b string) bool {
	c, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && c < 0
}

// fingerprint tells one state of an object from another, as far as an apply could
// change it. It means something within one process only.
type fingerprint uint64

var fingerprintSeed = maphash.MakeSeed()

// fingerprintOf is an object's fingerprint, of its metadata wherever that says enough:
// the API server raises the generation when anything but status and metadata changes,
// and kinds without one have no status that changes by itself. It is 0 where that is
// not known.
func fingerprintOf(o client.Object) fingerprint {
	var b strings.Builder
	if o.GetGeneration() == 0 {
		hpa, ok := o.(*autoscalingv2.HorizontalPodAutoscaler)
		switch {
		case ok:
			// Clusters before 1.36 give it no generation, and its status changes all the time.
			spec, err := json.Marshal(hpa.Spec)
			if err != nil {
				return 0
			}
			b.Write(spec)
		case o.GetObjectKind().GroupVersionKind() == kindHPA: // the metadata alone
			return 0
		default:
			return sum(string(o.GetUID()), o.GetResourceVersion())
		}
	}
	for _, m := range []map[string]string{o.GetLabels(), o.GetAnnotations()} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !strings.HasPrefix(k, "deployment.kubernetes.io/") { // the Deployment controller's
				b.WriteString(k + "\x00" + m[k] + "\x00")
			}
		}
		b.WriteByte(1)
	}
	for _, r := range o.GetOwnerReferences() {
		b.WriteString(string(r.UID) + strconv.FormatBool(r.Controller != nil && *r.Controller))
	}
	return sum(string(o.GetUID()), strconv.FormatInt(o.GetGeneration(), 10), b.String())
}

func sum(parts ...string) fingerprint {
	return max(1, fingerprint(maphash.String(fingerprintSeed, strings.Join(parts, "\x00"))))
}

// relevance is the fingerprint of everything that a reconcile looks at in an owned
// object. An event that leaves it as it was is no news.
func relevance(o client.Object) fingerprint {
	f := fingerprintOf(o)
	deleting := strconv.FormatBool(o.GetDeletionTimestamp() != nil)
	switch o := o.(type) {
	case *appsv1.Deployment:
		return f + sum(deleting, deploymentRelevance(&o.Status, o.Generation))
	case *gatewayv1.HTTPRoute:
		return f + sum(deleting, routeRelevance(o))
	}
	return f + sum(deleting)
}

func deploymentRelevance(s *appsv1.DeploymentStatus, generation int64) string {
	var b strings.Builder
	for _, n := range []int32{s.Replicas, s.UpdatedReplicas, s.ReadyReplicas, s.AvailableReplicas} {
		b.WriteString(strconv.Itoa(int(n)) + " ")
	}
	b.WriteString(strconv.FormatBool(s.ObservedGeneration >= generation))
	for _, c := range s.Conditions {
		b.WriteString(" " + string(c.Type) + "=" + string(c.Status) + "/" + c.Reason + c.Message)
	}
	return b.String()
}

func routeRelevance(r *gatewayv1.HTTPRoute) string {
	var b strings.Builder
	for _, p := range r.Status.Parents {
		b.WriteString(string(p.ControllerName) + " " + string(p.ParentRef.Name))
		for _, c := range p.Conditions {
			b.WriteString(" " + c.Type + "=" + string(c.Status) + "/" + c.Reason + c.Message + strconv.FormatInt(c.ObservedGeneration, 10))
		}
	}
	return b.String()
}

// differs tells whether an apply changed an object, given its metadata before and after.
func differs(before, after metav1.Object) bool {
	if before.GetResourceVersion() == after.GetResourceVersion() {
		return false
	}
	if after.GetGeneration() == 0 || before.GetGeneration() != after.GetGeneration() {
		return true
	}
	// Its status may have changed meanwhile, which is none of an apply's doing.
	return !maps.Equal(before.GetLabels(), after.GetLabels()) || !maps.Equal(before.GetAnnotations(), after.GetAnnotations()) ||
		len(before.GetOwnerReferences()) != len(after.GetOwnerReferences())
}
