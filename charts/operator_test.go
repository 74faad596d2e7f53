package charts

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers"
	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/provider/all"
)

// The operator does its work with the rights that the chart gives its ServiceAccount, and with no others: it leads,
// makes the Secrets of its own namespace, and an instance in another one becomes what it asks for.
func TestTheOperatorsRightsSuffice(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	own, watched := env.Namespace, env.NewNamespace(t)
	manifest := mustRun(t, helm, "template", release, chart, "--namespace", own, "--values", values(t)["existing-secret"], "--set", "watchNamespaces={"+watched+"}")
	for _, o := range objects(t, manifest) {
		if kind := o.GetKind(); !isHook(o) && (kind == "ServiceAccount" || kind == "Role" || kind == "RoleBinding") {
			env.Apply(t, o)
		}
	}
	user := kubetest.ServiceAccount(own, "socialops-operator")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	env.AwaitAccess(t, user, own, "coordination.k8s.io", "leases", "create", true)
	env.AwaitAccess(t, user, watched, v1alpha1.GroupVersion.Group, "socialopsinstances", "watch", true)
	env.AwaitAccess(t, user, watched, "", "secrets", "get", true)

	said := &log{}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- controllers.Run(ctx, controllers.Options{
			RESTConfig: config, Namespace: own, WatchNamespaces: []string{watched}, LeaderElect: true,
			Settings:    desired.Settings{Image: "ghcr.io/open4x/socialops:test"},
			DatabaseURL: pgtest.New(t).DSN("owner"),
			Providers:   all.Providers(all.Options{}),
			Version:     "test", Log: slog.New(slog.NewTextHandler(said, nil)),
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if text := said.String(); t.Failed() || strings.Contains(text, "forbidden") {
			t.Errorf("the operator's log:\n%s", text)
		}
	})

	env.Apply(t, &v1alpha1.SocialOpsInstance{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindSocialOpsInstance},
		ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "support"},
		Spec: v1alpha1.SocialOpsInstanceSpec{
			Alias: "support-" + watched, Owner: "alice", DeletionPolicy: v1alpha1.DeletionDelete, Autoscaling: v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 3},
		},
	}, &v1alpha1.ChannelBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindChannelBinding},
		ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "events"},
		Spec:       v1alpha1.ChannelBindingSpec{InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderGenericWebhook, ChannelName: "Events"},
	})
	kubetest.Await(t, env, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: own, Name: "socialops-worker"}}, "holds the worker's URL", func(s *corev1.Secret) bool { return len(s.Data["url"]) > 0 })
	kubetest.Await(t, env, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "support"}}, "is there", func(*appsv1.Deployment) bool { return true })
	kubetest.Await(t, env, &v1alpha1.ChannelBinding{ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "events"}}, "is bound", func(b *v1alpha1.ChannelBinding) bool {
		return slices.ContainsFunc(b.Status.Conditions, func(c metav1.Condition) bool {
			return c.Type == v1alpha1.ConditionChannelBound && c.Status == metav1.ConditionTrue
		})
	})
}

// log is what the operator logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Every marker beside the code is among the chart's rules: one in the doc comment of a function, for one, is a marker
// that controller-gen doesn't take.
func TestEveryMarkerIsARule(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../controllers/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no controllers: %v", err)
	}
	granted := map[string]bool{}
	for _, o := range objects(t, template(t, "--values", values(t)["cluster-wide"])) {
		if o.GetKind() != "ClusterRole" || o.GetName() != "socialops-socialops-system-operator" {
			continue
		}
		for _, r := range rules(t, o) {
			for _, group := range r.APIGroups {
				for _, resource := range r.Resources {
					for _, verb := range r.Verbs {
						granted[verb+" "+group+"/"+resource] = true
					}
				}
			}
		}
	}
	marker := regexp.MustCompile(`(?m)^\s*//\s*\+kubebuilder:rbac:groups=([^,]*),resources=([^,]*),verbs=([^,\n]*)$`)
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marker.FindAllStringSubmatch(string(text), -1) {
			seen++
			for resource := range strings.SplitSeq(m[2], ";") {
				for verb := range strings.SplitSeq(m[3], ";") {
					if rule := verb + " " + strings.Trim(m[1], `"`) + "/" + resource; !granted[rule] {
						t.Errorf("%s asks for %q, which the chart doesn't grant: is the marker in a comment of its own, and hack/generate.sh run?", filepath.Base(file), rule)
					}
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d markers", seen)
	}
}
