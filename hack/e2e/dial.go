package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dialer connects this process to the cluster's Services. On a node of this machine
// it dials their own addresses; elsewhere each connection goes to a ready pod of the
// Service, through a forwarded port.
type dialer struct {
	kube   *kube
	direct bool

	mu       sync.Mutex
	names    map[string]client.ObjectKey // host names that lead to a Service
	forwards map[string]*forward         // by namespace/pod:port
}

func newDialer(k *kube, direct bool) *dialer {
	return &dialer{kube: k, direct: direct, names: map[string]client.ObjectKey{}, forwards: map[string]*forward{}}
}

// alias has a host name lead to a Service, as a DNS record of an ingress would.
func (d *dialer) alias(host string, service client.ObjectKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[host] = service
}

// client is an HTTP client to NAME.NAMESPACE.svc and to the aliases. It keeps
// connections open from call to call.
func (d *dialer) client(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:         d.dial,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost: 32,
			IdleConnTimeout:     time.Minute,
		},
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialing %s: %w", address, err)
	}
	d.mu.Lock()
	key, known := d.names[host]
	d.mu.Unlock()
	if !known {
		name, rest, _ := strings.Cut(host, ".")
		namespace, suffix, _ := strings.Cut(rest, ".")
		if suffix != "svc" {
			return nil, fmt.Errorf("dialing %s: it is no Service of the cluster", host)
		}
		key = client.ObjectKey{Namespace: namespace, Name: name}
	}
	var service corev1.Service
	if err := d.kube.Get(ctx, key, &service); err != nil {
		return nil, fmt.Errorf("dialing %s: %w", address, err)
	}
	if address, err = d.resolve(ctx, &service, port); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

// resolve finds the address that leads to a port of a Service.
func (d *dialer) resolve(ctx context.Context, service *corev1.Service, port string) (string, error) {
	if d.direct {
		return net.JoinHostPort(service.Spec.ClusterIP, port), nil
	}
	var slices discoveryv1.EndpointSliceList
	err := d.kube.List(ctx, &slices, client.InNamespace(service.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service.Name})
	if err != nil {
		return "", fmt.Errorf("looking for the pods of the Service %s: %w", service.Name, err)
	}
	portName := ""
	for _, p := range service.Spec.Ports {
		if strconv.Itoa(int(p.Port)) == port {
			portName = p.Name
		}
	}
	var ready []string
	for _, s := range slices.Items {
		for _, p := range s.Ports {
			if p.Name == nil || *p.Name != portName || p.Port == nil {
				continue
			}
			for _, e := range s.Endpoints {
				if e.TargetRef != nil && e.Conditions.Ready != nil && *e.Conditions.Ready {
					ready = append(ready, fmt.Sprintf("%s/%s:%d", service.Namespace, e.TargetRef.Name, *p.Port))
				}
			}
		}
	}
	if len(ready) == 0 {
		return "", fmt.Errorf("the Service %s has no ready pod", service.Name)
	}
	return d.forward(ctx, ready[rand.IntN(len(ready))]) //nolint:gosec // which pod is no secret
}

// forward is one `kubectl port-forward`, until its pod is gone.
type forward struct {
	cmd     *exec.Cmd
	started chan struct{}
	address string
	err     error
}

// forward starts a forwarded port to a pod, or finds the one that there is.
func (d *dialer) forward(ctx context.Context, target string) (string, error) {
	d.mu.Lock()
	f := d.forwards[target]
	if f == nil {
		f = &forward{started: make(chan struct{})}
		d.forwards[target] = f
		go d.run(f, target)
	}
	d.mu.Unlock()
	select {
	case <-f.started:
		return f.address, f.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// run runs a forwarded port until it ends, then forgets it.
func (d *dialer) run(f *forward, target string) {
	pod, port, _ := strings.Cut(target, ":")
	namespace, name, _ := strings.Cut(pod, "/")
	args := append(d.kube.flags("--context"), "port-forward", "--namespace", namespace, "pod/"+name, ":"+port)
	f.cmd = exec.Command(d.kube.program, args...) //nolint:noctx // ended by close
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := f.cmd.StdoutPipe()
	if err == nil {
		err = f.cmd.Start()
	}
	if err == nil {
		lines := bufio.NewScanner(out)
		if lines.Scan() { // Forwarding from 127.0.0.1:PORT -> …
			_, rest, _ := strings.Cut(lines.Text(), "127.0.0.1:")
			local, _, _ := strings.Cut(rest, " ")
			f.address = net.JoinHostPort("127.0.0.1", local)
		} else {
			err = errors.New("kubectl port-forward ended")
		}
	}
	if err != nil {
		f.err = fmt.Errorf("forwarding a port of the pod %s: %w", pod, err)
	}
	close(f.started)
	if f.cmd.Process != nil {
		_, _ = io.Copy(io.Discard, out)
		_ = f.cmd.Wait() // how it ended tells nothing
	}
	d.mu.Lock()
	delete(d.forwards, target)
	d.mu.Unlock()
}

// close ends what was started.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.forwards {
		select {
		case <-f.started:
			if f.cmd.Process != nil {
				_ = f.cmd.Process.Kill()
			}
		default:
		}
	}
}
