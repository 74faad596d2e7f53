package desired

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	networking "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

const dnsPort = 53

// networkPolicy lets anybody call an instance's API, the monitoring namespace alone
// its health port (nodes, with the kubelet's probes, are never kept out), and lets its
// pods call nobody but DNS, the database and the collector of traces. A policy knows
// addresses and no names, so it goes by port where no address is known.
func networkPolicy(in *v1alpha1.SocialOpsInstance, s *Settings) (*networking.NetworkPolicyApplyConfiguration, error) {
	egress, err := egressRules(s)
	if err != nil {
		return nil, fmt.Errorf("the NetworkPolicy of instance %s/%s: %w", in.Namespace, in.Name, err)
	}
	ingress := []*networking.NetworkPolicyIngressRuleApplyConfiguration{
		networking.NetworkPolicyIngressRule().WithPorts(tcp(httpPort)),
	}
	if s.MonitoringNamespace != "" {
		ingress = append(ingress, networking.NetworkPolicyIngressRule().
			WithFrom(networking.NetworkPolicyPeer().
				WithNamespaceSelector(metav1.LabelSelector().WithMatchLabels(map[string]string{v1.LabelMetadataName: s.MonitoringNamespace}))).
			WithPorts(tcp(healthPort)))
	}
	return networking.NetworkPolicy(in.Name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithSpec(networking.NetworkPolicySpec().
			WithPodSelector(podSelector(in)).
			WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
			WithIngress(ingress...).
			WithEgress(egress...)), nil
}

func egressRules(s *Settings) ([]*networking.NetworkPolicyEgressRuleApplyConfiguration, error) {
	dns := networking.NetworkPolicyEgressRule().WithPorts(policyPort(v1.ProtocolUDP, dnsPort), tcp(dnsPort))
	database := networking.NetworkPolicyEgressRule()
	for _, cidr := range s.DatabaseCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, fmt.Errorf("reading the database's addresses: %w", err)
		}
		database.WithTo(address(prefix.Masked()))
	}
	for _, p := range s.databasePorts() {
		database.WithPorts(tcp(p))
	}
	rules := []*networking.NetworkPolicyEgressRuleApplyConfiguration{dns, database}
	if s.OTLPEndpoint != "" {
		traces, err := otlpRule(s.OTLPEndpoint)
		if err != nil {
			return nil, err
		}
		rules = append(rules, traces)
	}
	return rules, nil
}

func otlpRule(endpoint string) (*networking.NetworkPolicyEgressRuleApplyConfiguration, error) {
	u, err := otlpURL(endpoint)
	if err != nil {
		return nil, err
	}
	port := int32(80)
	if u.Scheme == "https" {
		port = 443
	}
	if given := u.Port(); given != "" {
		n, err := strconv.ParseUint(given, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("reading the port of the OTLP endpoint %q: %w", endpoint, err)
		}
		port = int32(n)
	}
	rule := networking.NetworkPolicyEgressRule().WithPorts(tcp(port))
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		rule.WithTo(address(netip.PrefixFrom(ip, ip.BitLen())))
	}
	return rule, nil
}

func otlpURL(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading the OTLP endpoint: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("the OTLP endpoint %q: want a URL such as http://collector.monitoring:4318", endpoint)
	}
	return u, nil
}

// databasePorts are in order, each once.
func (s *Settings) databasePorts() []int32 {
	if len(s.DatabasePorts) == 0 {
		return []int32{5432}
	}
	return slices.Compact(slices.Sorted(slices.Values(s.DatabasePorts)))
}

func address(p netip.Prefix) *networking.NetworkPolicyPeerApplyConfiguration {
	return networking.NetworkPolicyPeer().WithIPBlock(networking.IPBlock().WithCIDR(p.String()))
}

func tcp(port int32) *networking.NetworkPolicyPortApplyConfiguration {
	return policyPort(v1.ProtocolTCP, port)
}

func policyPort(protocol v1.Protocol, port int32) *networking.NetworkPolicyPortApplyConfiguration {
	return networking.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(port))
}
