package desired_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
)

func TestCheckSettings(t *testing.T) {
	t.Parallel()
	all := settings()
	all.DatabaseCIDRs, all.DatabasePorts, all.OTLPEndpoint, all.MonitoringNamespace = []string{"10.0.0.0/8", "2001:db8::/32"}, []int32{6432}, "https://collector", "monitoring"
	all.LogLevel, all.LogFormat, all.DefaultTLS = "warn", "text", v1alpha1.TLSOff
	if err := all.Check(); err != nil {
		t.Error(err)
	}
	for want, breakIt := range map[string]func(*desired.Settings){
		"--image:":                  func(s *desired.Settings) { s.Image = "" },
		"--allowed-image-prefixes:": func(s *desired.Settings) { s.AllowedImagePrefixes = []string{""} },
		"--default-host:":           func(s *desired.Settings) { s.DefaultHost = "https://inbox.example.com" },
		"--allowed-hosts:":          func(s *desired.Settings) { s.AllowedHosts = []string{"*"} },
		"--allowed-hosts: \"a.*.b":  func(s *desired.Settings) { s.AllowedHosts = []string{"a.*.b"} },
		"--allowed-hosts: \"Inbox":  func(s *desired.Settings) { s.AllowedHosts = []string{"Inbox.example.com"} },
		"--default-tls:":            func(s *desired.Settings) { s.DefaultTLS = v1alpha1.TLSSecret },
		"--ingress-class:":          func(s *desired.Settings) { s.IngressClassName = "a b" },
		"--database-ports:":         func(s *desired.Settings) { s.DatabasePorts = []int32{70000} },
		"--database-cidrs:":         func(s *desired.Settings) { s.DatabaseCIDRs = []string{"10.0.0.1"} },
		"--otlp-endpoint:":          func(s *desired.Settings) { s.OTLPEndpoint = "collector:4318" },
		"--otlp-endpoint: reading":  func(s *desired.Settings) { s.OTLPEndpoint = "http://collector:99999" },
		"--monitoring-namespace:":   func(s *desired.Settings) { s.MonitoringNamespace = "a/b" },
		"--runtime-log-level:":      func(s *desired.Settings) { s.LogLevel = "loud" },
		"--runtime-log-format:":     func(s *desired.Settings) { s.LogFormat = "xml" },
	} {
		s := settings()
		breakIt(s)
		if err := s.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s got %v", want, err)
		}
	}
}

func TestParseGateway(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]v1alpha1.GatewayReference{
		"gateways/edge":       {Namespace: "gateways", Name: "edge"},
		"gateways/edge/https": {Namespace: "gateways", Name: "edge", SectionName: "https"},
	} {
		got, err := desired.ParseGateway(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "edge", "/edge", "gateways/", "gateways/edge/", "a/b/c/d", "Gateways/Edge"} {
		if got, err := desired.ParseGateway(text); err == nil {
			t.Errorf("%q: no error, and %+v", text, got)
		}
	}
}
