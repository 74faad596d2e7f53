package desired

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Settings are the operator's own: what an instance's manifest leaves to the
// installation.
type Settings struct {
	Image                string   // of runtimes, by digest
	AllowedImagePrefixes []string // beside Image: what spec.image may be, see [Image]

	DefaultHost        string   // of exposed instances that name none; always allowed
	AllowedHosts       []string // exact names, or *.example.com for one label more
	DefaultTLS         v1alpha1.TLSMode
	IngressClassName   string            // empty: the cluster's default class
	IngressAnnotations map[string]string // on every Ingress: what the controller needs to be told, such as its body limit
	Gateway            v1alpha1.GatewayReference

	// DatabasePorts are those that the database's pods or hosts listen on, which pods may
	// call; none: 5432. DatabaseCIDRs are its addresses; none: any.
	DatabasePorts []int32
	DatabaseCIDRs []string

	OTLPEndpoint        string // of traces, such as http://collector.monitoring:4318; empty: none are sent
	MonitoringNamespace string // whose pods may read metrics; empty: none
	LogLevel            string // of runtimes: debug, info (default), warn, error
	LogFormat           string // of runtimes: json (default), text

	// Resources are what pods ask for and may use; what is left out is a request of 10m
	// CPU and 32Mi of memory, and a limit of 512Mi of memory.
	Resources v1alpha1.Resources
}

// Check tells what of the settings can't be, each by its flag.
func (s *Settings) Check() error {
	var errs []error
	wrong := func(flag, format string, args ...any) {
		errs = append(errs, fmt.Errorf("--"+flag+": "+format, args...))
	}
	if s.Image == "" {
		wrong("image", "which image are runtimes to run?")
	}
	for _, p := range s.AllowedImagePrefixes {
		if p == "" || strings.ContainsAny(p, " \t") {
			wrong("allowed-image-prefixes", "%q is no prefix of an image: want one such as ghcr.io/acme/", p)
		}
	}
	if s.DefaultHost != "" && !isHost(s.DefaultHost) {
		wrong("default-host", "%q is no host: want one such as inbox.example.com, in lower case", s.DefaultHost)
	}
	for _, h := range s.AllowedHosts {
		if !isHost(strings.TrimPrefix(h, "*.")) {
			wrong("allowed-hosts", "%q is no host: want one such as inbox.example.com or *.example.com, in lower case", h)
		}
	}
	if m := s.DefaultTLS; m != "" && m != v1alpha1.TLSDefault && m != v1alpha1.TLSOff {
		wrong("default-tls", "%q: want %s or %s", m, v1alpha1.TLSDefault, v1alpha1.TLSOff)
	}
	if c := s.IngressClassName; c != "" && !isHost(c) {
		wrong("ingress-class", "%q is no name of an IngressClass", c)
	}
	for _, p := range s.DatabasePorts {
		if p < 1 || p > 65535 {
			wrong("database-ports", "%d is no port", p)
		}
	}
	for _, c := range s.DatabaseCIDRs {
		if _, err := netip.ParsePrefix(c); err != nil {
			wrong("database-cidrs", "%q is no range of addresses: want one such as 10.0.0.0/8", c)
		}
	}
	if s.OTLPEndpoint != "" {
		if _, err := otlpRule(s.OTLPEndpoint); err != nil {
			wrong("otlp-endpoint", "%w", err)
		}
	}
	if n := s.MonitoringNamespace; n != "" && len(validation.IsDNS1123Label(n)) > 0 {
		wrong("monitoring-namespace", "%q is no name of a namespace", n)
	}
	if l := s.LogLevel; l != "" && !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(l)) {
		wrong("runtime-log-level", "%q: want debug, info, warn or error", l)
	}
	if f := s.LogFormat; f != "" && f != "text" && f != "json" {
		wrong("runtime-log-format", "%q: want text or json", f)
	}
	return errors.Join(errs...)
}

func isHost(name string) bool { return len(validation.IsDNS1123Subdomain(name)) == 0 }

// ParseGateway reads namespace/name or namespace/name/section, the section being one
// listener of the Gateway.
func ParseGateway(text string) (v1alpha1.GatewayReference, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.ContainsFunc(parts, func(p string) bool { return !isHost(p) }) {
		return v1alpha1.GatewayReference{}, fmt.Errorf("%q is no gateway: want NAMESPACE/NAME or NAMESPACE/NAME/SECTION", text)
	}
	g := v1alpha1.GatewayReference{Namespace: parts[0], Name: parts[1]}
	if len(parts) == 3 {
		g.SectionName = parts[2]
	}
	return g, nil
}

// resources are the settings' amounts with the defaults filled in.
func (s *Settings) resources() (requests, limits amounts) {
	requests, limits = amountsOf(s.Resources.Requests), amountsOf(s.Resources.Limits)
	requests.cpu, limits.cpu = fill(requests.cpu, limits.cpu, &defaultCPURequest, nil)
	requests.memory, limits.memory = fill(requests.memory, limits.memory, &defaultMemoryRequest, &defaultMemoryLimit)
	return requests, limits
}
