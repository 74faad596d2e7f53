package controllers

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

var (
	instancesDesc = prometheus.NewDesc("socialops_instances",
		"SocialOpsInstances by the status and reason of their condition Ready; of the leader only.", []string{"ready", "reason"}, nil)
	bindingsDesc = prometheus.NewDesc("socialops_channel_bindings",
		"ChannelBindings by the status and reason of their condition Ready; of the leader only.", []string{"ready", "reason"}, nil)
	rolloutsDesc = prometheus.NewDesc("socialops_rollouts",
		"Instances whose pods are being replaced (rolling), and those whose update to the operator's image waits for that (queued); of the leader only.",
		[]string{"state"}, nil)
)

// fleet counts what the caches hold, whenever somebody asks.
type fleet struct {
	reader   client.Reader
	leading  <-chan struct{} // closed once this process leads
	rollouts *rollouts
}

// Describe implements [prometheus.Collector].
func (f *fleet) Describe(d chan<- *prometheus.Desc) {
	d <- instancesDesc
	d <- bindingsDesc
	d <- rolloutsDesc
}

// Collect implements [prometheus.Collector]. A standby tells nothing, so that sums over
// all replicas are right.
func (f *fleet) Collect(m chan<- prometheus.Metric) {
	select {
	case <-f.leading:
	default:
		return
	}
	ctx := context.Background() // the caches' answers need no patience
	var instances v1alpha1.SocialOpsInstanceList
	if err := f.reader.List(ctx, &instances, client.UnsafeDisableDeepCopy); err == nil {
		count := readiness{}
		for i := range instances.Items {
			count.add(instances.Items[i].Status.Conditions)
		}
		count.send(m, instancesDesc)
	}
	var bindings v1alpha1.ChannelBindingList
	if err := f.reader.List(ctx, &bindings, client.UnsafeDisableDeepCopy); err == nil {
		count := readiness{}
		for i := range bindings.Items {
			count.add(bindings.Items[i].Status.Conditions)
		}
		count.send(m, bindingsDesc)
	}
	rolling, queued := f.rollouts.count()
	m <- prometheus.MustNewConstMetric(rolloutsDesc, prometheus.GaugeValue, float64(rolling), "rolling")
	m <- prometheus.MustNewConstMetric(rolloutsDesc, prometheus.GaugeValue, float64(queued), "queued")
}

type readiness map[[2]string]int

func (r readiness) add(conditions []metav1.Condition) {
	key := [2]string{string(metav1.ConditionUnknown), reasonOfUnknownReady}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		key = [2]string{string(c.Status), c.Reason}
	}
	r[key]++
}

func (r readiness) send(m chan<- prometheus.Metric, desc *prometheus.Desc) {
	for key, n := range r {
		m <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), key[0], key[1])
	}
}
