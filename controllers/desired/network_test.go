package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/controllers/desired"
)

// Traces go to the collector's port, and to its address where the endpoint names one.
func TestEgressToTheCollector(t *testing.T) {
	t.Parallel()
	type rule struct {
		Ports []struct {
			Protocol string
			Port     int
		}
		To []struct{ IPBlock struct{ CIDR string } }
	}
	for endpoint, want := range map[string]struct {
		port int
		cidr string
	}{
		"http://collector.monitoring:4318": {port: 4318},
		"http://collector.monitoring":      {port: 80},
		"https://otlp.example.com/v1":      {port: 443},
		"http://192.0.2.10:4318":           {port: 4318, cidr: "192.0.2.10/32"},
		"http://[2001:db8::1]:4318":        {port: 4318, cidr: "2001:db8::1/128"},
	} {
		in, s := manifest(t, "minimal"), settings()
		s.OTLPEndpoint = endpoint
		var policy struct{ Spec struct{ Egress []rule } }
		decode(t, find(t, objects(t, in, s, facts(in)), "NetworkPolicy", in.Name), &policy)
		if len(policy.Spec.Egress) != 3 {
			t.Fatalf("%s: %+v", endpoint, policy)
		}
		got := policy.Spec.Egress[2]
		cidr := ""
		if len(got.To) > 0 {
			cidr = got.To[0].IPBlock.CIDR
		}
		if len(got.Ports) != 1 || got.Ports[0].Port != want.port || got.Ports[0].Protocol != "TCP" || cidr != want.cidr {
			t.Errorf("%s: %s", endpoint, cmp.Diff(want, got))
		}
	}
}

// What the settings' check lets through by mistake makes no policy that is open.
func TestUnreadableAddresses(t *testing.T) {
	t.Parallel()
	in := manifest(t, "minimal")
	for name, breakIt := range map[string]func(*desired.Settings){
		"database":  func(s *desired.Settings) { s.DatabaseCIDRs = []string{"db.example.com"} },
		"collector": func(s *desired.Settings) { s.OTLPEndpoint = "collector" },
	} {
		s := settings()
		breakIt(s)
		if list, err := desired.Objects(in, s, facts(in)); err == nil {
			t.Errorf("%s: no error, and %v", name, list)
		}
	}
}
