package controllers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/provider"
)

// Options is what the operator is started with. A zero value is the default that is
// named, or nothing.
type Options struct {
	RESTConfig      *rest.Config
	Namespace       string   // the operator's own
	WatchNamespaces []string // none: all
	LeaderElect     bool     // several may run then, and one works

	MetricsListen   string // address of /metrics, over HTTPS and for those who may "get" it; "" or "0": none
	MetricsInsecure bool   // plain HTTP for everybody
	HealthListen    string // address of /healthz and /readyz; "" or "0": none

	Settings desired.Settings

	DatabaseURL string // as the owner; what the URLs of runtimes are made of
	DirectURL   string // past any pooler; "": DatabaseURL
	TrialSecret string // the Secret with the password of a Postgres at TrialHost; "": DatabaseURL tells
	TrialHost   string // host:port

	InstallSecret string // default socialops-install
	WorkerSecret  string // default socialops-worker
	ConsoleSecret string // "": there is no console

	Providers provider.Registry

	MaxRollouts int // instances that roll at a time because of the operator; default 10
	Workers     int // reconciles at a time, of each kind; default 4
	PurgeBatch  int // rows of a kind that one transaction removes; default 1000

	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Defaults of Options.
const (
	defaultInstallSecret = "socialops-install"
	defaultWorkerSecret  = "socialops-worker"
	defaultMaxRollouts   = 10
	defaultWorkers       = 4
)

func (o *Options) setDefaults() error {
	switch {
	case o.RESTConfig == nil:
		return errors.New("no Kubernetes API server is given")
	case o.Namespace == "":
		return errors.New("the operator's own namespace is not given: set POD_NAMESPACE")
	}
	if o.InstallSecret == "" {
		o.InstallSecret = defaultInstallSecret
	}
	if o.WorkerSecret == "" {
		o.WorkerSecret = defaultWorkerSecret
	}
	if o.ConsoleSecret == o.WorkerSecret || o.ConsoleSecret == o.InstallSecret {
		return fmt.Errorf("the console's Secret can't be %q, which is another part's: each has one of its own", o.ConsoleSecret)
	}
	if o.MaxRollouts <= 0 {
		o.MaxRollouts = defaultMaxRollouts
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o.Settings.Check() //nolint:wrapcheck // says which flag
}

// leaseName is the Lease of the leader, in the operator's namespace.
const leaseName = "socialops-operator"

// stopTimeout is how long reconciles may take to end; the rest of a pod's grace is for
// giving the lease back.
const stopTimeout = 15 * time.Second

// Run runs the operator until ctx ends, which is no error. It ends by itself when it
// loses the lead, as two must not lead at once.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=own
func Run(ctx context.Context, o Options) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	log := libraryLogger(o.Log)
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	o.RESTConfig = clientConfig(&o)
	live, err := client.New(o.RESTConfig, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("connecting to the Kubernetes API server: %w", err)
	}
	p, err := openPlatform(ctx, live, &o)
	if err != nil {
		return err
	}
	defer p.close()
	mgr, err := newManager(&o, scheme, log)
	if err != nil {
		return err
	}
	caches, err := newCaches(mgr, o.WatchNamespaces)
	if err != nil {
		return err
	}
	instances := newInstanceReconciler(mgr, caches, p, &o)
	if err := instances.addTo(ctx, mgr, o.Workers); err != nil {
		return err
	}
	if err := p.addTo(mgr, caches, hooks{
		EnqueueInstances: func() { instances.lookAtAll(ctx) },
		EnqueueAlias:     func(alias string) { instances.lookAtAlias(ctx, alias) },
	}); err != nil {
		return err
	}
	if err := addProbes(mgr); err != nil {
		return err
	}
	leave := export(mgr, instances)
	defer leave()
	return start(ctx, mgr, &o)
}

// clientConfig is how the API server is called: as often as there is something to say,
// as it defends itself, and without its advice on deprecated fields in the log.
func clientConfig(o *Options) *rest.Config {
	c := rest.CopyConfig(o.RESTConfig)
	c.QPS = -1
	c.UserAgent = "socialops-operator/" + o.Version
	c.WarningHandlerWithContext = rest.NoWarnings{}
	return c
}

func newManager(o *Options, scheme *runtime.Scheme, log logr.Logger) (ctrl.Manager, error) {
	recoverPanics := true
	stop := stopTimeout
	mgr, err := ctrl.NewManager(o.RESTConfig, manager.Options{
		Scheme: scheme, MapperProvider: newMapper,
		Logger: log,
		Cache:  mainCache(o.WatchNamespaces),
		Client: client.Options{Cache: &client.CacheOptions{}},

		LeaderElection: o.LeaderElect, LeaderElectionID: leaseName, LeaderElectionNamespace: o.Namespace,
		LeaderElectionReleaseOnCancel: true,

		Metrics:                 metricsOptions(o),
		HealthProbeBindAddress:  addressOr0(o.HealthListen),
		GracefulShutdownTimeout: &stop,
		Controller:              config.Controller{RecoverPanic: &recoverPanics},
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the operator: %w", err)
	}
	return mgr, nil
}

func addressOr0(address string) string {
	if address == "" || address == ":0" {
		return "0"
	}
	return address
}

func metricsOptions(o *Options) server.Options {
	m := server.Options{BindAddress: addressOr0(o.MetricsListen)}
	if !o.MetricsInsecure {
		m.SecureServing = true
		m.FilterProvider = filters.WithAuthenticationAndAuthorization
		m.TLSOpts = []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS13
			c.NextProtos = []string{"http/1.1"} // a scrape needs no streams, which have been abused
		}}
	}
	return m
}

func newInstanceReconciler(mgr ctrl.Manager, c *caches, p *platform, o *Options) *instanceReconciler {
	r := &instanceReconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), caches: c, platform: p, settings: &o.Settings,
		recorder: mgr.GetEventRecorder(reporter), log: o.Log, now: o.Now,
		applier: applier{client: mgr.GetClient(), live: mgr.GetAPIReader(), now: o.Now},
		routes:  routes{cache: c.routes, mapper: mgr.GetRESTMapper(), now: o.Now},
	}
	r.rollouts = rollouts{limit: o.MaxRollouts, seed: func() ([]types.NamespacedName, error) { return rollingNow(mgr.GetClient()) }}
	return r
}

// rollingNow lists the instances whose Deployments are rolling.
func rollingNow(reader client.Reader) ([]types.NamespacedName, error) {
	var list appsv1.DeploymentList
	if err := reader.List(context.Background(), &list, client.UnsafeDisableDeepCopy); err != nil { // a cache's answer needs no patience
		return nil, fmt.Errorf("looking which instances roll: %w", err)
	}
	var names []types.NamespacedName
	for i := range list.Items {
		d := &list.Items[i]
		if c := metav1.GetControllerOfNoCopy(d); c != nil && isInstance(c) && rolling(d) {
			names = append(names, types.NamespacedName{Namespace: d.Namespace, Name: c.Name})
		}
	}
	return names, nil
}

// addProbes: alive as long as it answers, ready once it knows the cluster.
func addProbes(mgr ctrl.Manager) error {
	var synced atomic.Bool
	err := errors.Join(
		mgr.Add(everywhere(func(ctx context.Context) error { // runs once the caches are filled
			synced.Store(true)
			<-ctx.Done()
			return nil
		})),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("caches", func(*http.Request) error {
			if !synced.Load() {
				return errors.New("what is in the cluster is still being read")
			}
			return nil
		}),
	)
	if err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return nil
}

// everywhere runs without the lead, too.
type everywhere func(context.Context) error

// Start implements [manager.Runnable].
func (e everywhere) Start(ctx context.Context) error { return e(ctx) }

// NeedLeaderElection implements [manager.LeaderElectionRunnable].
func (e everywhere) NeedLeaderElection() bool { return false }

// export offers the fleet's metrics, until the function that it returns is called.
func export(mgr ctrl.Manager, r *instanceReconciler) func() {
	f := &fleet{reader: mgr.GetClient(), leading: mgr.Elected(), rollouts: &r.rollouts}
	if err := metrics.Registry.Register(f); err != nil {
		return func() {} // another operator of this process offers its own
	}
	return func() { metrics.Registry.Unregister(f) }
}

func start(ctx context.Context, mgr ctrl.Manager, o *Options) error {
	where := "every namespace"
	if len(o.WatchNamespaces) > 0 {
		where = fmt.Sprint(o.WatchNamespaces)
	}
	o.Log.InfoContext(ctx, "the operator starts", "version", o.Version, "watches", where, "image", o.Settings.Image)
	ended := make(chan struct{})
	go func() {
		select {
		case <-mgr.Elected():
			o.Log.InfoContext(ctx, "the operator leads")
		case <-ended:
		}
	}()
	err := mgr.Start(ctx)
	close(ended)
	if err != nil {
		return fmt.Errorf("running the operator: %w", err)
	}
	o.Log.InfoContext(ctx, "the operator has stopped")
	return nil
}
