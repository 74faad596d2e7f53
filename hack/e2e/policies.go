package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/api/v1alpha1"
)

// provePolicies checks that everything runs where only restricted pods are admitted,
// and what the network policies say, as not every network enforces them.
func (e *e2e) provePolicies(ctx context.Context) error {
	return errors.Join(e.proveRestricted(ctx), e.proveRuntimePolicy(ctx), e.proveChartPolicies(ctx))
}

// proveRestricted looks for a product's pod in a namespace that admits others than
// restricted ones, and tries to run one there.
func (e *e2e) proveRestricted(ctx context.Context) error {
	var pods corev1.PodList
	if err := e.kube.List(ctx, &pods, client.MatchingLabels{"app.kubernetes.io/name": "socialops"}); err != nil {
		return fmt.Errorf("listing the product's pods: %w", err)
	}
	components := map[string]bool{}
	for _, p := range pods.Items {
		components[p.Labels["app.kubernetes.io/component"]] = true
		var ns corev1.Namespace
		if err := e.kube.Get(ctx, client.ObjectKey{Name: p.Namespace}, &ns); err != nil {
			return fmt.Errorf("reading the namespace %s: %w", p.Namespace, err)
		}
		if ns.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
			return fmt.Errorf("the pod %s/%s runs where more than restricted pods are admitted", p.Namespace, p.Name)
		}
	}
	for _, want := range []string{"operator", "worker", "console", "runtime"} {
		if !components[want] {
			return fmt.Errorf("no pod of the %s runs; there are %v", want, components)
		}
	}
	root := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: supportNamespace, Name: "root"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "root", Image: e.images.product}}},
	}
	err := e.kube.Create(ctx, root, client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		return fmt.Errorf("a pod that is not restricted was not refused, so nothing is proven: %w", err)
	}
	return nil
}

// proveRuntimePolicy reads an instance's NetworkPolicy: HTTP from anywhere, metrics
// from the monitoring namespace, and out only to DNS and the database.
func (e *e2e) proveRuntimePolicy(ctx context.Context) error {
	var p networkingv1.NetworkPolicy
	if err := e.kube.Get(ctx, client.ObjectKey{Namespace: supportNamespace, Name: "support"}, &p); err != nil {
		return fmt.Errorf("reading the sample's NetworkPolicy: %w", err)
	}
	var wrong []string
	if len(p.Spec.PolicyTypes) != 2 || p.Spec.PodSelector.MatchLabels["app.kubernetes.io/instance"] != "support" {
		wrong = append(wrong, "it must select the instance's pods, for both directions")
	}
	for _, in := range p.Spec.Ingress {
		for _, port := range in.Ports {
			switch name := port.Port.String(); {
			case name == "http" || name == "8080":
				if len(in.From) != 0 {
					wrong = append(wrong, "HTTP must be open to anybody")
				}
			case name == "health" || name == "8081":
				if len(in.From) != 1 || in.From[0].NamespaceSelector == nil || in.From[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "monitoring" {
					wrong = append(wrong, "the health port must be open to the monitoring namespace alone")
				}
			default:
				wrong = append(wrong, "port "+name+" is open")
			}
		}
	}
	allowed := map[string]bool{"UDP 53": true, "TCP 53": true, "TCP 5432": true}
	seen := map[string]bool{}
	for _, out := range p.Spec.Egress {
		if len(out.Ports) == 0 {
			wrong = append(wrong, "a way out is open for every port")
		}
		for _, port := range out.Ports {
			protocol := "TCP"
			if port.Protocol != nil {
				protocol = string(*port.Protocol)
			}
			way := protocol + " " + port.Port.String()
			if seen[way] = true; !allowed[way] {
				wrong = append(wrong, "the way out to "+way+" is open")
			}
		}
	}
	for way := range allowed {
		if !seen[way] {
			wrong = append(wrong, "the way out to "+way+" is closed")
		}
	}
	if len(p.Spec.Ingress) < 2 {
		wrong = append(wrong, "HTTP or the health port is closed")
	}
	if len(wrong) > 0 {
		text, _ := yaml.Marshal(p.Spec)
		return fmt.Errorf("the NetworkPolicy of an instance:\n  %s\n%s", joinLines(wrong), text)
	}
	if p.Labels[v1alpha1.LabelInstance] != "support" {
		return fmt.Errorf("the NetworkPolicy's labels are %v", p.Labels)
	}
	return nil
}

// proveChartPolicies checks that operator and worker take nothing in but metrics, and
// the console people besides.
func (e *e2e) proveChartPolicies(ctx context.Context) error {
	for _, name := range []string{"socialops-operator", "socialops-worker", consoleName} {
		var p networkingv1.NetworkPolicy
		if err := e.kube.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: name}, &p); err != nil {
			return fmt.Errorf("reading the NetworkPolicy %s: %w", name, err)
		}
		for _, in := range p.Spec.Ingress {
			people := name == consoleName && len(in.Ports) == 1 && in.Ports[0].Port.String() == "http"
			if len(in.From) == 0 && !people {
				return fmt.Errorf("the NetworkPolicy %s lets anybody in: %+v", name, in.Ports)
			}
		}
		if len(p.Spec.PolicyTypes) != 2 {
			return fmt.Errorf("the NetworkPolicy %s is for %v; want both directions", name, p.Spec.PolicyTypes)
		}
	}
	return nil
}
