package controllers

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

// AddFlags adds what an admin tells the operator, but for the database's URLs, which
// are secrets and come from the environment. The function that it returns reads what
// takes a second look, once the flags are parsed.
func (o *Options) AddFlags(f *pflag.FlagSet) (read func() error) {
	o.addWatchFlag(f)
	f.BoolVar(&o.LeaderElect, "leader-elect", true, "let one of several operators lead, by a Lease in POD_NAMESPACE")
	f.IntVar(&o.Workers, "workers", defaultWorkers, "reconciles at a time, of each kind")
	f.StringVar(&o.MetricsListen, "metrics-listen", ":8443", "address of /metrics, over HTTPS and for those who may get it; 0: none")
	f.BoolVar(&o.MetricsInsecure, "metrics-insecure", false, "serve metrics over plain HTTP, to everybody")
	f.StringVar(&o.HealthListen, "health-listen", ":8081", "address of /healthz and /readyz; 0: none")

	s := &o.Settings
	f.StringVar(&s.Image, "image", os.Getenv("SOCIALOPS_IMAGE"), "image of instances that name none, by digest (SOCIALOPS_IMAGE)")
	f.StringSliceVar(&s.AllowedImagePrefixes, "allowed-image-prefixes", nil, "what spec.image may begin with, such as ghcr.io/acme/")
	f.IntVar(&o.MaxRollouts, "max-rollouts", defaultMaxRollouts, "instances that roll to another default image at a time")
	f.StringVar(&s.DefaultHost, "default-host", "", "host of exposed instances that name none")
	f.StringSliceVar(&s.AllowedHosts, "allowed-hosts", nil, "hosts that instances may name: inbox.example.com, or *.example.com for one label more")
	f.StringVar((*string)(&s.DefaultTLS), "default-tls", string(v1alpha1.TLSDefault), "TLS of exposed instances that say nothing: Default or Off")
	f.StringVar(&s.IngressClassName, "ingress-class", "", "IngressClass of instances that name none (default: the cluster's)")
	f.StringToStringVar(&s.IngressAnnotations, "ingress-annotations", nil, "annotations of every Ingress, such as nginx.ingress.kubernetes.io/proxy-body-size=25m")
	gateway := f.String("gateway", "", "Gateway of HTTPRoutes that name none: NAMESPACE/NAME or NAMESPACE/NAME/LISTENER")

	f.StringSliceVar(&s.DatabaseCIDRs, "database-cidrs", nil, "addresses of the database that pods may call (default: any, on its ports)")
	f.StringVar(&s.MonitoringNamespace, "monitoring-namespace", "", "namespace whose pods may read instances' metrics")
	f.StringVar(&s.OTLPEndpoint, "otlp-endpoint", "", "where instances send traces, such as http://collector.monitoring:4318")
	f.StringVar(&s.LogLevel, "runtime-log-level", "info", "log level of instances: debug, info, warn or error")
	f.StringVar(&s.LogFormat, "runtime-log-format", "json", "log format of instances: json or text")

	f.StringVar(&o.InstallSecret, "install-secret", defaultInstallSecret, "Secret in POD_NAMESPACE with this install's id and the key of credentials; made when missing")
	f.StringVar(&o.WorkerSecret, "worker-secret", defaultWorkerSecret, "Secret in POD_NAMESPACE that the worker reads; made when missing")
	f.StringVar(&o.ConsoleSecret, "console-secret", "", "Secret in POD_NAMESPACE that the console reads; made when missing (default: there is no console)")
	f.StringVar(&o.TrialSecret, "trial-database-secret", "", "Secret in POD_NAMESPACE with the password of a Postgres for trials; made when missing")
	f.StringVar(&o.TrialHost, "trial-database-host", "", "host:port of the Postgres for trials")
	f.IntVar(&o.PurgeBatch, "purge-batch", 0, "rows of a kind that one transaction removes of a deleted instance (default 1000)")

	return func() (err error) {
		if (o.TrialSecret == "") != (o.TrialHost == "") {
			return errors.New("--trial-database-secret and --trial-database-host belong together: give both or none")
		}
		if *gateway != "" {
			if s.Gateway, err = desired.ParseGateway(*gateway); err != nil {
				return fmt.Errorf("--gateway: %w", err)
			}
		}
		return o.readWatched()
	}
}

// AddFlags adds what [ReleaseFinalizers] is told.
func (o *ReleaseOptions) AddFlags(f *pflag.FlagSet) (read func() error) {
	watched := Options{}
	watched.addWatchFlag(f)
	f.StringVar(&o.OperatorDeployment, "operator-deployment", "", "Deployment in POD_NAMESPACE to scale to 0 first, as a running operator would put finalizers back")
	return func() error {
		err := watched.readWatched()
		o.WatchNamespaces = watched.WatchNamespaces
		return err
	}
}

func (o *Options) addWatchFlag(f *pflag.FlagSet) {
	f.StringSliceVar(&o.WatchNamespaces, "watch-namespaces", nil, "namespaces to look after, with commas between (default: all)")
}

// readWatched refuses an empty name, which would mean every namespace.
func (o *Options) readWatched() error {
	for i, n := range o.WatchNamespaces {
		if o.WatchNamespaces[i] = strings.TrimSpace(n); o.WatchNamespaces[i] == "" {
			return errors.New("--watch-namespaces: a name is empty: want names with commas between, or no such flag for every namespace")
		}
	}
	return nil
}
