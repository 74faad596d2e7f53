package desired

import (
	"math"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// What pods ask for and may use where neither manifest nor settings say so. A limit of
// CPU would only slow down what the node has to spare.
var (
	defaultCPURequest    = resource.MustParse("10m")
	defaultMemoryRequest = resource.MustParse("32Mi")
	defaultMemoryLimit   = resource.MustParse("512Mi")

	// autoscaledCPURequest is the least request that a percentage of makes sense: of 10m,
	// a pod at rest would use most, and the autoscaler would always want the maximum.
	autoscaledCPURequest = resource.MustParse("100m")
)

// amounts are requests or limits; nil: none.
type amounts struct{ cpu, memory *resource.Quantity }

func amountsOf(c *v1alpha1.ComputeResources) amounts {
	if c == nil {
		return amounts{}
	}
	return amounts{c.CPU, c.Memory}
}

func (a amounts) list() v1.ResourceList {
	list := v1.ResourceList{}
	if a.cpu != nil {
		list[v1.ResourceCPU] = *a.cpu
	}
	if a.memory != nil {
		list[v1.ResourceMemory] = *a.memory
	}
	return list
}

func resources(in *v1alpha1.SocialOpsInstance, s *Settings) *corev1.ResourceRequirementsApplyConfiguration {
	requests, limits := computeResources(in, s)
	return corev1.ResourceRequirements().WithRequests(requests.list()).WithLimits(limits.list())
}

// computeResources fills in the manifest's amounts with the operator's. What the
// manifest says holds: a default request shrinks to its limit, and a default limit
// grows to its request, as the API server would refuse a pod otherwise.
func computeResources(in *v1alpha1.SocialOpsInstance, s *Settings) (requests, limits amounts) {
	own := in.Spec.Resources
	if own == nil {
		own = &v1alpha1.Resources{}
	}
	ownRequests, ownLimits := amountsOf(own.Requests), amountsOf(own.Limits)
	otherRequests, otherLimits := s.resources()
	if autoscaled(in) && otherRequests.cpu.Cmp(autoscaledCPURequest) < 0 {
		otherRequests.cpu = &autoscaledCPURequest
	}
	requests.cpu, limits.cpu = fill(ownRequests.cpu, ownLimits.cpu, otherRequests.cpu, otherLimits.cpu)
	requests.memory, limits.memory = fill(ownRequests.memory, ownLimits.memory, otherRequests.memory, otherLimits.memory)
	return requests, limits
}

func fill(request, limit, otherRequest, otherLimit *resource.Quantity) (*resource.Quantity, *resource.Quantity) {
	r, l := or(request, otherRequest), or(limit, otherLimit)
	if r != nil && l != nil && r.Cmp(*l) > 0 {
		if request == nil {
			r = l
		} else {
			l = r
		}
	}
	return r, l
}

func or(a, b *resource.Quantity) *resource.Quantity {
	if a != nil {
		return a
	}
	return b
}

// goMemoryLimit is where the garbage collector is to work harder, in bytes: at nine
// tenths of the limit, so that it does so before the kernel kills the pod.
func goMemoryLimit(in *v1alpha1.SocialOpsInstance, s *Settings) (int64, bool) {
	_, limits := computeResources(in, s)
	if limits.memory == nil || limits.memory.CmpInt64(math.MaxInt64) >= 0 {
		return 0, false
	}
	return limits.memory.Value() / 10 * 9, true
}
