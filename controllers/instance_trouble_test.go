package controllers

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

// without are rules that lack a verb on a resource.
func without(rules []rbacv1.PolicyRule, resource, verb string) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, r := range rules {
		for _, one := range r.Resources {
			verbs := slices.Clone(r.Verbs)
			if one == resource {
				verbs = slices.DeleteFunc(verbs, func(v string) bool { return v == verb })
			}
			if len(verbs) > 0 {
				out = append(out, rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: []string{one}, Verbs: verbs})
			}
		}
	}
	return out
}

// A verb that RBAC lacks is named by a condition, and once it is there all is well.
func TestRBACLacksAVerb(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ resource, group, verb, condition, says string }{
		"patch Deployments":  {"deployments", "apps", "patch", "PodsReady", "the operator may not patch deployments.apps:"},
		"create Services":    {"services", "", "create", "Exposed", "the operator may not create services:"},
		"read Secrets":       {"secrets", "", "get", "PodsReady", "the operator may not get secrets:"},
		"create policies":    {"networkpolicies", "networking.k8s.io", "create", "PodsReady", "the operator may not create networkpolicies.networking.k8s.io:"},
		"look for Services":  {"services", "", "get", "Exposed", "the operator may not get services:"},
		"patch the instance": {"socialopsinstances", "socialops.dev", "patch", "DatabaseReady", "the operator may not patch socialopsinstances.socialops.dev:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := kubetest.New(t)
			o := newOperatorIn(t, env, without(granted(), c.resource, c.verb), func(o *Options) { o.InstallSecret, o.WorkerSecret = "the-install", "the-worker" })
			if c.resource == "secrets" { // its own Secrets are another Role's matter
				env.Grant(t, o.user, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}, ResourceNames: []string{"the-install", "the-worker"}}}, env.Namespace)
			}
			o.start()
			o.RunDeployments(t, nil)
			o.Apply(t, o.instance("a", deleteData))
			in := o.await("a", "Ready=False/Forbidden", "Stalled=True/Forbidden", c.condition+"=False/Forbidden")
			if message := meta.FindStatusCondition(in.Status.Conditions, c.condition).Message; !strings.HasPrefix(message, c.says) {
				t.Errorf("it says %s", message)
			}
			env.Grant(t, o.user, []rbacv1.PolicyRule{{APIGroups: []string{c.group}, Resources: []string{c.resource}, Verbs: []string{c.verb}}}, env.Namespace)
			o.await("a", "Ready=True/Ready", "Stalled=absent")
			o.quiet()
		})
	}
}

// Without the rights to list and watch a kind nothing begins, which the probe tells, and it heals.
// The log that names the kind is the process's, so no test's.
func TestRBACLacksListAndWatch(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	o := newOperatorIn(t, env, without(without(granted(), "poddisruptionbudgets", "list"), "poddisruptionbudgets", "watch"), func(o *Options) { o.HealthListen = freeAddress(t) })
	o.start()
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a"))
	time.Sleep(2 * time.Second) // what is not to happen can't be waited for
	if code, _ := ask(t, "http://"+o.options.HealthListen+"/readyz", ""); code == http.StatusOK {
		t.Error("it counts as ready")
	}
	env.Grant(t, o.user, []rbacv1.PolicyRule{{APIGroups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: []string{"list", "watch"}}}, env.Namespace)
	o.await("a", "Ready=True/Ready")
	awaitOK(t, "http://"+o.options.HealthListen+"/readyz")
}

// What the API server refuses is a condition with its words, and tried again.
func TestRefusedByQuota(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/deployments.apps": resource.MustParse("0")}},
	}
	if err := o.Client.Create(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	quota.Status.Hard = quota.Spec.Hard // no controller does
	if err := o.Client.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	o.Apply(t, o.instance("a"))
	in := o.await("a", "Ready=False/ApplyFailed", "Stalled=True/ApplyFailed", "PodsReady=False/ApplyFailed")
	if message := meta.FindStatusCondition(in.Status.Conditions, "PodsReady").Message; !strings.Contains(message, "quota: none") {
		t.Errorf("it says %s", message)
	}
	if err := o.Client.Delete(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	o.await("a", "Ready=True/Ready", "Stalled=absent")
	o.quiet()
}

// Why pods don't serve stands in the condition, once they had time to.
func TestPodsThatDoNotServe(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, func(*appsv1.Deployment) bool { return false })
	in := o.instance("a")
	o.Apply(t, in)
	o.await("a", "Ready=False/Progressing", "Reconciling=True/Progressing")
	d := get(o, "a", &appsv1.Deployment{})
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: "a-x", Labels: d.Spec.Selector.MatchLabels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "runtime", Image: testImage}}},
	}
	if err := o.Client.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "runtime", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "ImagePullBackOff", Message: "Back-off pulling image: no such tag",
	}}}}
	if err := o.Client.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	o.clock.advance(time.Minute)
	edit(o, "a", in, func(in *v1alpha1.SocialOpsInstance) { in.Annotations = map[string]string{"look": "now"} })
	in = o.await("a", "Ready=False/PodsUnavailable", "PodsReady=False/PodsUnavailable", "Reconciling=True/PodsUnavailable", "Stalled=absent")
	if message := meta.FindStatusCondition(in.Status.Conditions, "PodsReady").Message; message != "none of 1 pod serves yet: pod a-x: ImagePullBackOff: Back-off pulling image: no such tag" {
		t.Errorf("it says %s", message)
	}
	o.settled()
	o.quiet()
}

// Hosts that may not be used are a condition; a route that was there goes.
func TestHostNotAllowed(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	host := func(host string) func(*v1alpha1.SocialOpsInstance) {
		return func(in *v1alpha1.SocialOpsInstance) {
			in.Spec.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: host}
		}
	}
	o.Apply(t, o.instance("a", host("a.example.com")))
	in := o.await("a", "Ready=True/Ready", "Exposed=True/Exposed")
	if want := "https://a.example.com/v1/apps/socialops/" + o.alias("a"); in.Status.URL != want {
		t.Errorf("status.url is %s, not %s", in.Status.URL, want)
	}
	o.Apply(t, o.instance("a", host("evil.example.org")))
	o.await("a", "Ready=False/HostNotAllowed", "Exposed=False/HostNotAllowed", "PodsReady=True/PodsReady")
	kubetest.AwaitGone(t, o.Env, &networkingv1.Ingress{ObjectMeta: named("a")})
	o.Apply(t, o.instance("a", host("")))
	in = o.await("a", "Ready=True/Ready")
	if !strings.HasPrefix(in.Status.URL, "https://inbox.example.com/") {
		t.Errorf("status.url is %s", in.Status.URL)
	}
	o.quiet()
}

// Without Postgres an instance's objects are still looked after, by an operator that
// has just started, too; and what is deleted is let go in time.
func TestWithoutPostgres(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	db := pgtest.NewServer(t)
	o.db, o.options.DatabaseURL = db, db.DSN("owner")
	o.start()
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a", deleteData), o.instance("b", deleteData))
	o.await("a", "Ready=True/Ready")
	o.await("b", "Ready=True/Ready")
	o.settled()
	o.stop()
	if err := db.Server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.start()
	o.await("a", "Ready=False/DatabaseUnavailable", "Reconciling=True/DatabaseUnavailable", "DatabaseReady=False/DatabaseUnavailable", "PodsReady=True/PodsReady")
	service := get(o, "a", &corev1.Service{})
	if err := o.Client.Delete(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	kubetest.Await(t, o.Env, service, "is made anew", func(*corev1.Service) bool { return true })
	if err := o.Client.Delete(t.Context(), get(o, "a-api-key", &corev1.Secret{})); err != nil { // no new key without Postgres
		t.Fatal(err)
	}
	o.settled()
	if err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.Namespace, Name: "a-api-key"}, &corev1.Secret{}); err == nil {
		t.Error("there is a key that Postgres doesn't know")
	}

	in := get(o, "b", &v1alpha1.SocialOpsInstance{})
	if err := o.Client.Delete(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in = o.await("b", "Ready=False/Deleting")
	if message := meta.FindStatusCondition(in.Status.Conditions, "Ready").Message; !strings.Contains(message, "Postgres can't be told yet") {
		t.Errorf("it says %s", message)
	}
	o.clock.advance(9 * time.Minute)
	o.settled()
	if get(o, "b", in); len(in.Finalizers) == 0 {
		t.Error("let go too soon")
	}
	o.clock.advance(2 * time.Minute)
	kubetest.AwaitGone(t, o.Env, in)
	o.awaitEvent("b", "Warning DataLeft: ")
}
