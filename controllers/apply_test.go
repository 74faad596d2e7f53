package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

func TestWhose(t *testing.T) {
	t.Parallel()
	in := &v1alpha1.SocialOpsInstance{ObjectMeta: metav1.ObjectMeta{Name: "support", UID: "uid-1"}}
	ours1 := metav1.OwnerReference{APIVersion: "socialops.dev/v1alpha1", Kind: "SocialOpsInstance", Name: "support", UID: "uid-1", Controller: new(true)}
	with := func(change func(*metav1.OwnerReference)) []metav1.OwnerReference {
		r := ours1
		change(&r)
		return []metav1.OwnerReference{r}
	}
	for name, c := range map[string]struct {
		refs []metav1.OwnerReference
		made bool
		want ownership
	}{
		"ours":                                  {[]metav1.OwnerReference{ours1}, false, ours},
		"nobody's":                              {nil, false, foreign},
		"nobody's any more, but we made it":     {nil, true, ours},
		"ours, but another controls it":         {with(func(r *metav1.OwnerReference) { r.Controller = nil }), false, foreign},
		"a former instance's":                   {with(func(r *metav1.OwnerReference) { r.UID = "uid-0" }), false, formers},
		"of another version of our kind":        {with(func(r *metav1.OwnerReference) { r.UID, r.APIVersion = "uid-0", "socialops.dev/v1" }), false, formers},
		"another instance's":                    {with(func(r *metav1.OwnerReference) { r.UID, r.Name = "uid-2", "sales" }), false, foreign},
		"another kind's of the same name":       {with(func(r *metav1.OwnerReference) { r.UID, r.Kind = "uid-2", "ChannelBinding" }), false, foreign},
		"another group's":                       {with(func(r *metav1.OwnerReference) { r.UID, r.APIVersion = "uid-2", "example.com/v1alpha1" }), false, foreign},
		"we made it, and somebody took it over": {with(func(r *metav1.OwnerReference) { r.UID, r.Kind = "uid-2", "HelmRelease" }), true, foreign},
	} {
		o := &metav1.ObjectMeta{OwnerReferences: c.refs}
		if got := whose(o, in, c.made); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRestsOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, lacking string
		want          bool
	}{
		{"Deployment", "Secret", true},
		{"Deployment", "ServiceAccount", true},
		{"Deployment", "ConfigMap", true},
		{"Deployment", "NetworkPolicy", true},
		{"Deployment", "Service", false},
		{"Ingress", "Service", true},
		{"HTTPRoute", "Service", true},
		{"Ingress", "Deployment", false},
		{"HorizontalPodAutoscaler", "Deployment", true},
		{"PodDisruptionBudget", "Deployment", true},
		{"Service", "Secret", false},
	} {
		if got := restsOn(c.kind, []string{c.lacking}); got != c.want {
			t.Errorf("a %s without a %s: %v", c.kind, c.lacking, got)
		}
	}
}
