package controllers

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
)

func deleteData(in *v1alpha1.SocialOpsInstance) { in.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

// awaitRow waits until a question about an alias's row has an answer.
func (o *operator) awaitRow(alias, question, want string) {
	o.t.Helper()
	got := ""
	for range 600 {
		if got = o.query1("SELECT ("+question+")::text FROM instance WHERE alias = $1", alias); got == want {
			return
		}
		pause()
	}
	o.t.Fatalf("%s of %s is %q, not %q", question, alias, got, want)
}

func TestRetain(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a"))
	in := o.await("a", "Ready=True/Ready")
	if len(in.Finalizers) > 0 {
		t.Errorf("finalizers %v", in.Finalizers)
	}
	id := o.query("SELECT id FROM instance WHERE alias = $1", o.alias("a"))
	if err := o.Client.Delete(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	kubetest.AwaitGone(t, o.Env, in)
	o.awaitRow(o.alias("a"), "retired_at IS NOT NULL", "true")
	// Its data waits for it, and for nobody else.
	o.Apply(t, o.instance("b", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Alias = o.alias("a") }))
	o.await("b", "Ready=False/AliasRetained", "Stalled=True/AliasRetained", "DatabaseReady=absent", "PodsReady=absent")
	if err := o.Client.Get(t.Context(), client.ObjectKey{Namespace: o.Namespace, Name: "b"}, &appsv1.Deployment{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("an instance without its alias has pods: %v", err)
	}
	o.Apply(t, o.instance("a"))
	o.await("a", "Ready=True/Ready")
	if got := o.query("SELECT id FROM instance WHERE alias = $1 AND retired_at IS NULL", o.alias("a")); got != id {
		t.Errorf("it has the data of %s, not %s", got, id)
	}
	o.quiet()
}

// With the policy Delete an instance is held until Postgres knows; a change of mind
// counts until then.
func TestDelete(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a", deleteData))
	in := o.await("a", "Ready=True/Ready")
	if !slices.Equal(in.Finalizers, []string{v1alpha1.FinalizerData}) {
		t.Errorf("finalizers %v", in.Finalizers)
	}
	edit(o, "a", in, func(in *v1alpha1.SocialOpsInstance) { in.Finalizers = append(in.Finalizers, "example.com/theirs") })
	o.Apply(t, o.instance("a"))
	held := &v1alpha1.SocialOpsInstance{ObjectMeta: named("a")}
	kubetest.Await(t, o.Env, held, "is not held by us", func(in *v1alpha1.SocialOpsInstance) bool {
		return slices.Equal(in.Finalizers, []string{"example.com/theirs"})
	})
	o.Apply(t, o.instance("a", deleteData))
	in = kubetest.Await(t, o.Env, held, "is held by us again", func(in *v1alpha1.SocialOpsInstance) bool { return len(in.Finalizers) == 2 })
	edit(o, "a", in, func(in *v1alpha1.SocialOpsInstance) { // by hand; it comes back
		in.Finalizers = slices.DeleteFunc(in.Finalizers, func(f string) bool { return f == v1alpha1.FinalizerData })
	})
	in = kubetest.Await(t, o.Env, held, "is held by us again", func(in *v1alpha1.SocialOpsInstance) bool { return len(in.Finalizers) == 2 })
	if err := o.Client.Delete(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	kubetest.Await(t, o.Env, held, "is held by others alone", func(in *v1alpha1.SocialOpsInstance) bool {
		return in.DeletionTimestamp != nil && slices.Equal(in.Finalizers, []string{"example.com/theirs"})
	})
	o.await("a", "Ready=False/Deleting", "Stalled=absent", "Reconciling=absent")
	o.awaitEvent("a", "Normal DataRemoval: ")
	// Nothing is made for an instance on its way out, as the garbage collector may be at work.
	if err := o.Client.Delete(t.Context(), get(o, "a", &appsv1.Deployment{})); err != nil {
		t.Fatal(err)
	}
	o.settled()
	kubetest.AwaitGone(t, o.Env, &appsv1.Deployment{ObjectMeta: named("a")})
	edit(o, "a", in, func(in *v1alpha1.SocialOpsInstance) { in.Finalizers = nil })
	kubetest.AwaitGone(t, o.Env, held)
	// Whoever wants the alias gets it, with none of the data.
	o.Apply(t, o.instance("b", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Alias, in.Spec.Owner = o.alias("a"), "bob" }))
	o.await("b", "Ready=True/Ready")
	o.quiet()
}

// A namespace that is deleted is not held up.
func TestNamespaceDeleted(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	o := newOperatorIn(t, env, granted())
	ns := env.NewNamespace(t)
	env.Grant(t, o.user, granted()) // everywhere: a Role goes with its namespace
	o.options.WatchNamespaces = []string{env.Namespace, ns}
	o.start()
	in := o.instance("a", deleteData, func(in *v1alpha1.SocialOpsInstance) { in.Namespace = ns })
	o.Apply(t, in)
	kubetest.Await(t, o.Env, in, "is claimed", func(in *v1alpha1.SocialOpsInstance) bool { return has(in, "DatabaseReady=True/DatabaseReady") })
	env.DeleteNamespace(t, ns)
	o.awaitRow(o.alias("a"), "purge_at IS NOT NULL", "true")
	o.quiet()
}

// Who lost the race for an alias is looked at when the winner is gone.
func TestAliasConflict(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a", deleteData))
	o.await("a", "Ready=True/Ready")
	o.Apply(t, o.instance("b", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Alias = o.alias("a") }))
	loser := o.await("b", "Ready=False/AliasTaken", "Stalled=True/AliasTaken", "AliasClaimed=False/AliasTaken")
	if loser.Status.URL != "" || loser.Status.KeySecretName != "" {
		t.Errorf("the loser has %q and %q", loser.Status.URL, loser.Status.KeySecretName)
	}
	o.awaitEvent("b", "Warning AliasTaken: ")
	if err := o.Client.Delete(t.Context(), get(o, "a", &v1alpha1.SocialOpsInstance{})); err != nil {
		t.Fatal(err)
	}
	o.await("b", "Ready=True/Ready", "Stalled=absent")
	o.quiet()
}
