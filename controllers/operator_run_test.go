package controllers

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// ask is a GET that goes on until somebody listens.
func ask(t *testing.T, url, token string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	for deadline := time.Now().Add(kubetest.Patience); ; pause() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := c.Do(r)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
}

// awaitOK waits for a 200.
func awaitOK(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(kubetest.Patience); ; pause() {
		code, body := ask(t, url, "")
		if code == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d %s", url, code, body)
		}
	}
}

// Of two operators one works, and when it stops the other one does at once.
func TestLeaderElection(t *testing.T) {
	t.Parallel()
	first := newOperator(t, func(o *Options) { o.LeaderElect, o.HealthListen = true, freeAddress(t) })
	first.start()
	first.RunDeployments(t, nil)
	first.Apply(t, first.instance("a"))
	first.await("a", "Ready=True/Ready")

	second := *first
	second.log = &logged{}
	second.options.HealthListen = freeAddress(t)
	second.start()
	awaitOK(t, "http://"+first.options.HealthListen+"/healthz")
	awaitOK(t, "http://"+second.options.HealthListen+"/healthz")
	awaitOK(t, "http://"+second.options.HealthListen+"/readyz") // a standby has its caches filled
	lease := &coordinationv1.Lease{}
	holder := *get(first, leaseName, lease).Spec.HolderIdentity
	first.stop()
	stopped := time.Now()
	kubetest.Await(t, first.Env, &coordinationv1.Lease{ObjectMeta: named(leaseName)}, "is another's", func(l *coordinationv1.Lease) bool {
		return l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity != "" && *l.Spec.HolderIdentity != holder
	})
	if took := time.Since(stopped); took > 10*time.Second {
		t.Errorf("the lease was given back, yet it took %s", took)
	}
	second.Apply(t, second.instance("b"))
	second.await("b", "Ready=True/Ready")
	first.quiet()
	second.quiet()
}

// Metrics are for those who may "get" them, and tell what the fleet is like.
func TestMetrics(t *testing.T) {
	t.Parallel()
	o := newOperator(t, func(o *Options) { o.MetricsListen = freeAddress(t) })
	o.Grant(t, o.user, []rbacv1.PolicyRule{
		{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"}},
		{APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"subjectaccessreviews"}, Verbs: []string{"create"}},
	})
	o.start()
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a"), o.instance("b", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Suspend = new(true) }))
	o.await("a", "Ready=True/Ready")
	o.await("b", "Ready=False/Suspended")
	url := "https://" + o.options.MetricsListen + "/metrics"
	if code, _ := ask(t, url, ""); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", code)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: "prometheus"}}
	if err := o.Client.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{}
	if err := o.Client.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	if code, _ := ask(t, url, request.Status.Token); code != http.StatusForbidden {
		t.Errorf("without the right: %d", code)
	}
	// A refusal is remembered for 30 seconds, so it is another one who may.
	account = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: "another"}}
	if err := o.Client.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	o.Grant(t, kubetest.ServiceAccount(o.Namespace, "another"), []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}})
	request = &authenticationv1.TokenRequest{}
	if err := o.Client.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	text := ""
	for deadline := time.Now().Add(kubetest.Patience); !strings.Contains(text, "controller_runtime_reconcile_total"); pause() {
		code, body := ask(t, url, request.Status.Token)
		if text = body; time.Now().After(deadline) {
			t.Fatalf("with the right: %d %s", code, body)
		}
	}
	// Another test's operator may be the one that this process tells of.
	for _, series := range []string{`socialops_instances{ready="`, `socialops_rollouts{state="queued"}`, `socialops_rollouts{state="rolling"}`} {
		if !strings.Contains(text, series) {
			t.Errorf("no series %s", series)
		}
	}
	o.quiet()
}
