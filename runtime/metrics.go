package runtime

import (
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// storeMetrics is what a tenant's store shows of itself.
type storeMetrics struct {
	batches    prometheus.Histogram
	registered []prometheus.Collector
	registerer prometheus.Registerer
}

// newStoreMetrics registers a store's metrics under its alias. A nil registerer shows nothing.
func newStoreMetrics(r prometheus.Registerer, alias string, pool *pgxpool.Pool) (*storeMetrics, error) {
	m := &storeMetrics{batches: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "socialops_ingest_batch_events", Help: "Events stored in one transaction.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
	})}
	if r == nil {
		return m, nil
	}
	m.registerer = prometheus.WrapRegistererWith(prometheus.Labels{"alias": alias}, r)
	var errs []error
	for _, c := range []prometheus.Collector{m.batches, &poolCollector{pool: pool}} {
		if err := m.registerer.Register(c); err != nil {
			errs = append(errs, err)
			continue
		}
		m.registered = append(m.registered, c)
	}
	return m, errors.Join(errs...)
}

func (m *storeMetrics) close() {
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}

var (
	poolConns = prometheus.NewDesc("socialops_db_pool_connections", "Connections to Postgres by state.", []string{"state"}, nil)
	poolMax   = prometheus.NewDesc("socialops_db_pool_connections_max", "Connections that the pool may open.", nil, nil)
	poolWaits = prometheus.NewDesc("socialops_db_pool_wait_seconds_total", "Time spent waiting for a connection.", nil, nil)
)

// poolCollector shows a connection pool.
type poolCollector struct{ pool *pgxpool.Pool }

// Describe implements [prometheus.Collector].
func (c *poolCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- poolConns
	ch <- poolMax
	ch <- poolWaits
}

// Collect implements [prometheus.Collector].
func (c *poolCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.pool.Stat()
	ch <- prometheus.MustNewConstMetric(poolConns, prometheus.GaugeValue, float64(s.AcquiredConns()), "used")
	ch <- prometheus.MustNewConstMetric(poolConns, prometheus.GaugeValue, float64(s.IdleConns()), "idle")
	ch <- prometheus.MustNewConstMetric(poolMax, prometheus.GaugeValue, float64(s.MaxConns()))
	ch <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, s.AcquireDuration().Seconds())
}
