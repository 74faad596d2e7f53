package kubetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/config/crd"
)

// Options says what kind of cluster is wanted.
type Options struct {
	// GatewayAPI installs Gateway API's HTTPRoute.
	GatewayAPI bool
	// Dir is where the servers' folder is made, with their data and logs; empty means
	// os.TempDir().
	Dir string
}

// Cluster is an API server with its etcd.
type Cluster struct {
	// Config is an admin's. It has no limit of calls a second.
	Config *rest.Config
	// Client is the admin's, and knows the types of [Scheme].
	Client client.WithWatch

	dir   string
	guard *guard
	env   *envtest.Environment

	users sync.Mutex // certificates are signed one at a time
}

const (
	startTimeout = time.Minute
	stopTimeout  = 20 * time.Second
	startTries   = 2 // a port may be taken between its choice and its use
)

// Scheme knows Kubernetes's own types, ours, CustomResourceDefinitions and the
// Gateway API's.
var Scheme = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, apiextensionsv1.AddToScheme, gatewayv1.Install} {
		utilruntime.Must(add(s))
	}
	return s
})

// Start starts a cluster with the CustomResourceDefinitions of config/crd. Its
// servers end with [Cluster.Stop], and with this process however that ends.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	bin, err := assets()
	if err != nil {
		return nil, err
	}
	crds, err := definitions(ctx, o)
	if err != nil {
		return nil, err
	}
	var tried error
	for range startTries {
		c, err := start(o, bin, crds)
		if err == nil {
			return c, nil
		}
		tried = errors.Join(tried, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, tried
}

func start(o Options, bin string, crds []*apiextensionsv1.CustomResourceDefinition) (_ *Cluster, err error) {
	c := &Cluster{}
	if c.dir, err = os.MkdirTemp(o.Dir, "socialops-kube-"); err != nil {
		return nil, fmt.Errorf("making the folder of the API server: %w", err)
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return nil, fmt.Errorf("the folder of the API server: %w", err)
	}
	if c.guard, err = newGuard(c.dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	if err := c.launch(bin, crds); err != nil {
		return nil, errors.Join(err, c.lastWords(), c.Stop())
	}
	return c, nil
}

// auditPolicy has every call logged that may change something, and none of its content.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

func (c *Cluster) launch(bin string, crds []*apiextensionsv1.CustomResourceDefinition) error {
	no := false // whatever USE_EXISTING_CLUSTER says
	c.env = &envtest.Environment{
		UseExistingCluster: &no, Scheme: Scheme(), CRDs: crds,
		ControlPlaneStartTimeout: startTimeout, ControlPlaneStopTimeout: stopTimeout,
	}
	etcd, server := &envtest.Etcd{}, c.env.ControlPlane.GetAPIServer()
	c.env.ControlPlane.Etcd = etcd
	etcd.DataDir, server.CertDir = filepath.Join(c.dir, "etcd"), filepath.Join(c.dir, "kube-apiserver")
	for _, dir := range []string{etcd.DataDir, server.CertDir} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("making a folder for the API server: %w", err)
		}
	}
	policy := filepath.Join(c.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("writing the audit policy: %w", err)
	}
	server.Configure().
		// envtest's own range is full at some 250 Services.
		Set("service-cluster-ip-range", "10.0.0.0/16").
		Set("audit-policy-file", policy).
		Set("audit-log-path", c.auditLog())

	var err error
	if etcd.Path, err = c.guard.command(bin, "etcd"); err != nil {
		return err
	}
	if server.Path, err = c.guard.command(bin, "kube-apiserver"); err != nil {
		return err
	}
	for name, out := range map[string]func(*os.File){
		"etcd":           func(f *os.File) { etcd.Out, etcd.Err = f, f },
		"kube-apiserver": func(f *os.File) { server.Out, server.Err = f, f },
	} {
		f, err := os.Create(c.logFile(name))
		if err != nil {
			return fmt.Errorf("making the log of %s: %w", name, err)
		}
		defer func() { _ = f.Close() }() // the server has its own handle
		out(f)
	}

	config, err := c.env.Start()
	if err != nil {
		return fmt.Errorf("starting etcd and kube-apiserver: %w", err)
	}
	c.Config = rest.CopyConfig(config)
	c.Config.QPS = -1
	if c.Client, err = client.NewWithWatch(c.Config, client.Options{Scheme: Scheme()}); err != nil {
		return fmt.Errorf("making a client of the API server: %w", err)
	}
	return nil
}

// Stop ends the servers and removes everything.
func (c *Cluster) Stop() error {
	var errs []error
	if c.env != nil {
		if err := c.env.Stop(); err != nil {
			errs = append(errs, fmt.Errorf("stopping etcd and kube-apiserver: %w", err))
		}
	}
	return errors.Join(append(errs, c.guard.end())...)
}

func (c *Cluster) auditLog() string           { return filepath.Join(c.dir, "audit.log") }
func (c *Cluster) logFile(name string) string { return filepath.Join(c.dir, name+".log") }

// lastWords is what the servers logged last.
func (c *Cluster) lastWords() error {
	const most = 2000
	var said strings.Builder
	for _, name := range []string{"etcd", "kube-apiserver"} {
		text, err := os.ReadFile(c.logFile(name))
		if err != nil || len(text) == 0 {
			continue
		}
		fmt.Fprintf(&said, "%s:\n%s\n", name, text[max(0, len(text)-most):])
	}
	if said.Len() == 0 {
		return nil
	}
	return errors.New(strings.TrimSpace(said.String()))
}

// definitions are the CustomResourceDefinitions to install.
func definitions(ctx context.Context, o Options) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files := [][]byte{crd.SocialOpsInstances, crd.ChannelBindings}
	if o.GatewayAPI {
		data, err := httpRouteCRD(ctx)
		if err != nil {
			return nil, err
		}
		files = append(files, data)
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, data := range files {
		def := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(data, def); err != nil {
			return nil, fmt.Errorf("reading a CustomResourceDefinition: %w", err)
		}
		crds = append(crds, def)
	}
	return crds, nil
}
