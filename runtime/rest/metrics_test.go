package rest_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// series finds the one series with the labels, given as name, value, ….
func series(t *testing.T, r *prometheus.Registry, name string, labels ...string) *dto.Metric {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metrics:
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if have[labels[i]] != labels[i+1] {
					continue metrics
				}
			}
			return m
		}
	}
	return &dto.Metric{}
}

func counter(t *testing.T, r *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	return series(t, r, name, labels...).GetCounter().GetValue()
}

func gauge(t *testing.T, r *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	return series(t, r, name, labels...).GetGauge().GetValue()
}
