package charts

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers"
	"github.com/open4x/socialops/controllers/kubetest"
)

// Helm makes hooks' objects when it uninstalls. One in a watched namespace that was
// deleted since would have every uninstall fail.
func TestHooksKeepToTheReleasesNamespace(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		for _, o := range objects(t, template(t, "--values", file)) {
			if isHook(o) && o.GetNamespace() != home {
				t.Errorf("%s: %s is a hook's", name, key(o))
			}
		}
	}
}

// An uninstall stops the operator and takes its finalizers off, with the rights that the
// chart gives, and is not held up by a watched namespace that is gone.
func TestTheUninstallsRightsSuffice(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	own, watched, gone := env.Namespace, env.NewNamespace(t), env.NewNamespace(t)
	manifest := mustRun(t, helm, "template", release, chart, "--namespace", own, "--values", values(t)["existing-secret"], "--set", "watchNamespaces={"+watched+","+gone+"}")
	var deployment *appsv1.Deployment
	for _, o := range objects(t, manifest) {
		switch kind := o.GetKind(); {
		case isHook(o):
		case kind == "ServiceAccount" || kind == "Role" || kind == "RoleBinding":
			env.Apply(t, o)
		case kind == "Deployment" && o.GetName() == "socialops-operator":
			env.Apply(t, o)
			deployment = &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: own, Name: o.GetName()}}
		}
	}
	env.RunDeployments(t, nil)
	kubetest.Await(t, env, deployment, "runs", func(d *appsv1.Deployment) bool { return d.Status.Replicas == 1 })
	user := kubetest.ServiceAccount(own, "socialops-operator")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	env.AwaitAccess(t, user, watched, v1alpha1.GroupVersion.Group, "channelbindings", "patch", true)

	const others = "example.com/theirs"
	instance := &v1alpha1.SocialOpsInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "support", Finalizers: []string{v1alpha1.FinalizerData, others}},
		Spec:       v1alpha1.SocialOpsInstanceSpec{Alias: "support-" + watched, Owner: "alice", DeletionPolicy: v1alpha1.DeletionDelete},
	}
	binding := &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: watched, Name: "events", Finalizers: []string{v1alpha1.FinalizerWebhook}},
		Spec:       v1alpha1.ChannelBindingSpec{InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderGenericWebhook, ChannelName: "Events"},
	}
	for _, o := range []client.Object{instance, binding} {
		if err := env.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	env.DeleteNamespace(t, gone)
	env.AwaitAccess(t, user, gone, v1alpha1.GroupVersion.Group, "socialopsinstances", "list", false)

	var said bytes.Buffer
	err = controllers.ReleaseFinalizers(t.Context(), controllers.ReleaseOptions{
		RESTConfig: config, Namespace: own, WatchNamespaces: []string{gone, watched}, OperatorDeployment: deployment.Name,
		Log: slog.New(slog.NewTextHandler(&said, nil)),
	})
	if err != nil {
		t.Errorf("it failed: %v", err)
	}
	if log := said.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "namespace="+gone) {
		t.Errorf("it said\n%s", log)
	}
	for _, o := range []client.Object{deployment, instance, binding} {
		if err := env.Client.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
	}
	if *deployment.Spec.Replicas != 0 || deployment.Status.Replicas != 0 {
		t.Errorf("the operator has %d pods", deployment.Status.Replicas)
	}
	if !slices.Equal(instance.Finalizers, []string{others}) || len(binding.Finalizers) != 0 {
		t.Errorf("finalizers are left: %v and %v", instance.Finalizers, binding.Finalizers)
	}

	// Where the namespace is there and its objects can't be released, it must not go on as if they were.
	instance.Finalizers = []string{v1alpha1.FinalizerData}
	if err := env.Client.Update(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	reader := kubetest.ServiceAccount(own, "reader")
	if config, err = env.User(reader); err != nil {
		t.Fatal(err)
	}
	env.Grant(t, reader, []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"socialopsinstances", "channelbindings"}, Verbs: []string{"list"}}}, watched)
	err = controllers.ReleaseFinalizers(t.Context(), controllers.ReleaseOptions{RESTConfig: config, Namespace: own, WatchNamespaces: []string{watched}, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "releasing "+watched+"/support") {
		t.Errorf("without the right to release it says %v", err)
	}
}
