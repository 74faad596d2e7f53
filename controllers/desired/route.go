package desired

import (
	networkingv1 "k8s.io/api/networking/v1"
	networking "k8s.io/client-go/applyconfigurations/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gateway "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// ingress names no certificate on a shared host: without a secretName the controller
// presents its default one.
func ingress(in *v1alpha1.SocialOpsInstance, s *Settings, r Route) *networking.IngressApplyConfiguration {
	spec := networking.IngressSpec().
		WithRules(networking.IngressRule().
			WithHost(r.Host).
			WithHTTP(networking.HTTPIngressRuleValue().
				WithPaths(networking.HTTPIngressPath().
					WithPath(apiPath(in)).
					WithPathType(networkingv1.PathTypePrefix).
					WithBackend(networking.IngressBackend().
						WithService(networking.IngressServiceBackend().
							WithName(in.Name).
							WithPort(networking.ServiceBackendPort().WithName(portHTTP)))))))
	if r.IngressClassName != "" {
		spec.WithIngressClassName(r.IngressClassName)
	}
	if r.TLS != v1alpha1.TLSOff {
		tls := networking.IngressTLS().WithHosts(r.Host)
		if r.TLS == v1alpha1.TLSSecret {
			tls.WithSecretName(r.SecretName)
		}
		spec.WithTLS(tls)
	}
	return networking.Ingress(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithAnnotations(s.IngressAnnotations).
		WithOwnerReferences(owner(in)).
		WithSpec(spec)
}

// httpRoute sets no timeouts: a stream of events stays open. What the API server would
// fill in is written out, so that the route reads as it was meant.
func httpRoute(in *v1alpha1.SocialOpsInstance, r Route) *gateway.HTTPRouteApplyConfiguration {
	parent := gateway.ParentReference().
		WithGroup(gatewayv1.GroupName).
		WithKind("Gateway").
		WithNamespace(gatewayv1.Namespace(r.Gateway.Namespace)).
		WithName(gatewayv1.ObjectName(r.Gateway.Name))
	if r.Gateway.SectionName != "" {
		parent.WithSectionName(gatewayv1.SectionName(r.Gateway.SectionName))
	}
	return gateway.HTTPRoute(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(gateway.HTTPRouteSpec().
			WithParentRefs(parent).
			WithHostnames(gatewayv1.Hostname(r.Host)).
			WithRules(gateway.HTTPRouteRule().
				WithMatches(gateway.HTTPRouteMatch().
					WithPath(gateway.HTTPPathMatch().
						WithType(gatewayv1.PathMatchPathPrefix).
						WithValue(apiPath(in)))).
				WithBackendRefs(gateway.HTTPBackendRef().
					WithGroup("").
					WithKind("Service").
					WithName(gatewayv1.ObjectName(in.Name)).
					WithPort(servicePort).
					WithWeight(1))))
}
