package desired

import (
	"cmp"
	"fmt"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Route is how an instance is reached from outside the cluster, with the operator's
// settings filled in.
type Route struct {
	Type v1alpha1.ExposureType // None: not at all, and the rest is empty
	Host string
	TLS  v1alpha1.TLSMode
	// SecretName is the Secret with the host's certificate, for TLS mode Secret.
	SecretName string
	// IngressClassName is for type Ingress; empty: the cluster's default class.
	IngressClassName string
	// Gateway is for type HTTPRoute, with its namespace.
	Gateway v1alpha1.GatewayReference
}

// Exposure is an instance's route. With a problem (HostMissing, HostNotAllowed,
// GatewayMissing, InvalidSpec) there is none.
func Exposure(in *v1alpha1.SocialOpsInstance, s *Settings) (Route, *Problem) {
	e := &in.Spec.Exposure
	if e.Type == "" || e.Type == v1alpha1.ExposureNone {
		return Route{Type: v1alpha1.ExposureNone}, nil
	}
	r := Route{
		Type:       e.Type,
		Host:       cmp.Or(e.Host, s.DefaultHost),
		TLS:        cmp.Or(e.TLS.Mode, s.DefaultTLS, v1alpha1.TLSDefault),
		SecretName: e.TLS.SecretName,
	}
	switch {
	case r.Host == "":
		return Route{}, problem(v1alpha1.ReasonHostMissing, "spec.exposure names no host and the operator has no default one: set spec.exposure.host, or have an admin set a default (--default-host)")
	case !hostAllowed(r.Host, s):
		return Route{}, problem(v1alpha1.ReasonHostNotAllowed, "the host %q is not allowed: %shave an admin allow it (--allowed-hosts)", r.Host, otherHosts(s))
	case r.TLS == v1alpha1.TLSSecret && r.Host == s.DefaultHost:
		// Everybody's traffic comes in on it, so it is nobody's to present a certificate for.
		return Route{}, problem(v1alpha1.ReasonInvalidSpec, "the host %q is shared, so its certificate is not an instance's: set spec.exposure.tls.mode to Default, or use a host of your own", r.Host)
	}
	if r.Type == v1alpha1.ExposureIngress {
		r.IngressClassName = cmp.Or(e.IngressClassName, s.IngressClassName)
		return r, nil
	}
	if r.Gateway = e.Gateway; r.Gateway.Name == "" {
		r.Gateway = s.Gateway
	}
	if r.Gateway.Name == "" {
		return Route{}, problem(v1alpha1.ReasonGatewayMissing, "spec.exposure names no gateway and the operator has no default one: set spec.exposure.gateway, or have an admin set a default (--gateway)")
	}
	r.Gateway.Namespace = cmp.Or(r.Gateway.Namespace, in.Namespace)
	return r, nil
}

// otherHosts is advice, for those who can follow it.
func otherHosts(s *Settings) string {
	hosts := s.AllowedHosts
	if s.DefaultHost != "" {
		hosts = append([]string{s.DefaultHost}, hosts...)
	}
	if len(hosts) == 0 {
		return ""
	}
	return fmt.Sprintf("choose one of %s, or ", some(hosts))
}
