package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/rest"
)

func exposed(e v1alpha1.Exposure) *v1alpha1.SocialOpsInstance {
	in := &v1alpha1.SocialOpsInstance{}
	in.Namespace, in.Name = "acme", "support"
	in.Spec.Alias, in.Spec.Exposure = "help", e
	return in
}

func TestHosts(t *testing.T) {
	t.Parallel()
	s := &desired.Settings{DefaultHost: "inbox.example.com", AllowedHosts: []string{"acme.com", "*.apps.example.com"}}
	for host, allowed := range map[string]bool{
		"inbox.example.com":       true, // the default one
		"acme.com":                true,
		"www.acme.com":            false,
		"xacme.com":               false,
		"acme.com.example.net":    false,
		"a.apps.example.com":      true,
		"a.b.apps.example.com":    false,
		"apps.example.com":        false,
		".apps.example.com":       false,
		"x-apps.example.com":      false,
		"a.apps.example.com.evil": false,
		"com":                     false,
	} {
		_, problem := desired.Exposure(exposed(v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: host}), s)
		if got := problem == nil; got != allowed {
			t.Errorf("%s: allowed %v, want %v (%+v)", host, got, allowed, problem)
		}
		if problem != nil && problem.Reason != v1alpha1.ReasonHostNotAllowed {
			t.Errorf("%s: %+v", host, problem)
		}
	}
}

func TestExposure(t *testing.T) {
	t.Parallel()
	const (
		inside = "http://support.acme.svc/v1/apps/socialops/help"
		secret = v1alpha1.TLSSecret
	)
	ours := desired.Settings{
		DefaultHost: "inbox.example.com", AllowedHosts: []string{"acme.com"}, IngressClassName: "public",
		Gateway: v1alpha1.GatewayReference{Namespace: "gateways", Name: "edge", SectionName: "https"},
	}
	plain := ours
	plain.DefaultTLS = v1alpha1.TLSOff
	for name, c := range map[string]struct {
		exposure v1alpha1.Exposure
		settings desired.Settings
		want     desired.Route
		reason   string
		url      string
	}{
		"not at all":       {v1alpha1.Exposure{Type: "None"}, ours, desired.Route{Type: "None"}, "", inside},
		"not said":         {v1alpha1.Exposure{}, ours, desired.Route{Type: "None"}, "", inside},
		"shared host":      {v1alpha1.Exposure{Type: "Ingress"}, ours, desired.Route{Type: "Ingress", Host: "inbox.example.com", TLS: "Default", IngressClassName: "public"}, "", "https://inbox.example.com/v1/apps/socialops/help"},
		"no TLS there":     {v1alpha1.Exposure{Type: "Ingress"}, plain, desired.Route{Type: "Ingress", Host: "inbox.example.com", TLS: "Off", IngressClassName: "public"}, "", "http://inbox.example.com/v1/apps/socialops/help"},
		"TLS all the same": {v1alpha1.Exposure{Type: "Ingress", TLS: v1alpha1.TLS{Mode: "Default"}}, plain, desired.Route{Type: "Ingress", Host: "inbox.example.com", TLS: "Default", IngressClassName: "public"}, "", "https://inbox.example.com/v1/apps/socialops/help"},
		"own host": {
			v1alpha1.Exposure{Type: "Ingress", Host: "acme.com", IngressClassName: "internal", TLS: v1alpha1.TLS{Mode: secret, SecretName: "tls"}},
			ours,
			desired.Route{Type: "Ingress", Host: "acme.com", TLS: secret, SecretName: "tls", IngressClassName: "internal"},
			"", "https://acme.com/v1/apps/socialops/help",
		},
		"own certificate on the shared host": {v1alpha1.Exposure{Type: "Ingress", Host: "inbox.example.com", TLS: v1alpha1.TLS{Mode: secret, SecretName: "tls"}}, ours, desired.Route{}, "InvalidSpec", inside},
		"no host":                            {v1alpha1.Exposure{Type: "Ingress"}, desired.Settings{}, desired.Route{}, "HostMissing", inside},
		"a foreign host":                     {v1alpha1.Exposure{Type: "HTTPRoute", Host: "example.net"}, ours, desired.Route{}, "HostNotAllowed", inside},
		"the operator's gateway": {
			v1alpha1.Exposure{Type: "HTTPRoute"},
			ours,
			desired.Route{Type: "HTTPRoute", Host: "inbox.example.com", TLS: "Default", Gateway: v1alpha1.GatewayReference{Namespace: "gateways", Name: "edge", SectionName: "https"}},
			"", "https://inbox.example.com/v1/apps/socialops/help",
		},
		"a gateway beside it": {
			v1alpha1.Exposure{Type: "HTTPRoute", Gateway: v1alpha1.GatewayReference{Name: "own"}},
			ours,
			desired.Route{Type: "HTTPRoute", Host: "inbox.example.com", TLS: "Default", Gateway: v1alpha1.GatewayReference{Namespace: "acme", Name: "own"}},
			"", "https://inbox.example.com/v1/apps/socialops/help",
		},
		"no gateway": {v1alpha1.Exposure{Type: "HTTPRoute"}, desired.Settings{DefaultHost: "inbox.example.com"}, desired.Route{}, "GatewayMissing", inside},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := exposed(c.exposure)
			got, problem := desired.Exposure(in, &c.settings)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("route (-want +got):\n%s", diff)
			}
			reason := ""
			if problem != nil {
				reason = problem.Reason
				if problem.Message == "" {
					t.Error("a problem without words")
				}
			}
			if reason != c.reason {
				t.Errorf("reason %q, want %q", reason, c.reason)
			}
			if url := desired.URL(in, &c.settings); url != c.url {
				t.Errorf("URL %s, want %s", url, c.url)
			}
			public := ""
			if c.url != inside {
				public = c.url[:len(c.url)-len("/v1/apps/socialops/help")]
			}
			if url := desired.PublicURL(in, &c.settings); url != public {
				t.Errorf("public URL %q, want %q", url, public)
			}
		})
	}
}

// Without a route the rest is as it should be.
func TestObjectsWithoutARoute(t *testing.T) {
	t.Parallel()
	in := manifest(t, "ingress-own-host")
	s := settings()
	s.AllowedHosts = nil
	list := objects(t, in, s, facts(in))
	find(t, list, "Deployment", in.Name)
	for _, o := range list {
		if o.GVK.Kind == "Ingress" {
			t.Error("the host isn't allowed, and there is an Ingress")
		}
	}
}

// A route leads to where the runtime serves.
func TestPathIsTheRuntimes(t *testing.T) {
	t.Parallel()
	if got, want := desired.URL(exposed(v1alpha1.Exposure{}), &desired.Settings{}), "http://support.acme.svc"+rest.BasePath+"help"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
