package controllers

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/project"
)

// query1 is query of what may not be there.
func (o *operator) query1(sql string, args ...any) string {
	o.t.Helper()
	var out *string
	err := o.db.Owner.QueryRow(o.t.Context(), sql, args...).Scan(&out)
	if err != nil || out == nil {
		return ""
	}
	return *out
}

func keyOf(s *corev1.Secret) string { return string(s.Data["key"]) }

func TestGeneratedKey(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a"))
	o.await("a", "Ready=True/Ready")
	alias, secret := o.alias("a"), &corev1.Secret{ObjectMeta: named("a-api-key")}
	pods := get(o, "a", &appsv1.Deployment{}).Generation
	first := keyOf(get(o, "a-api-key", secret))
	inForce := func(value string) bool {
		return o.query1("SELECT k.name FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1 AND k.hash = sha256($2) AND k.expires_at IS NULL", alias, []byte(value)) != ""
	}
	expires := func(value string) string {
		return o.query1("SELECT to_char(k.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1 AND k.hash = sha256($2)", alias, []byte(value))
	}
	known := func(value string) bool {
		return o.query1("SELECT k.name FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1 AND k.hash = sha256($2)", alias, []byte(value)) != ""
	}

	// A rotation gives another key, and the one before it a day.
	rotate := func(value string) {
		edit(o, "a", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) {
			in.Annotations = map[string]string{v1alpha1.AnnotationRotateKeys: value}
		})
	}
	rotate("1")
	s := kubetest.Await(t, o.Env, secret, "has another key", func(s *corev1.Secret) bool { return keyOf(s) != first })
	second := keyOf(s)
	until, err := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationPreviousExpires])
	if err != nil || until.Sub(o.clock.Now()) > 24*time.Hour || until.Sub(o.clock.Now()) < 23*time.Hour {
		t.Errorf("the previous key is valid until %s: %v", s.Annotations[v1alpha1.AnnotationPreviousExpires], err)
	}
	if string(s.Data["previous"]) != first || !inForce(second) || expires(first) != s.Annotations[v1alpha1.AnnotationPreviousExpires] {
		t.Errorf("after a rotation: the new key in force: %v; the old one until %q", inForce(second), expires(first))
	}
	o.awaitEvent("a", "Normal KeyRotated: the Secret a-api-key holds a new API key; the one before it is valid until ")
	o.settled()
	rotate("1") // the same value asks for nothing
	o.stop()
	o.start()
	o.settled()
	if got := keyOf(get(o, "a-api-key", secret)); got != second {
		t.Error("the key changed without being asked to")
	}

	// After a day the old one is gone from Secret and Postgres.
	o.clock.advance(25 * time.Hour)
	rotate("1") // has it looked at
	edit(o, "a", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Annotations["look"] = "now" })
	s = kubetest.Await(t, o.Env, secret, "has no previous key", func(s *corev1.Secret) bool { return len(s.Data["previous"]) == 0 })
	if keyOf(s) != second || known(first) || s.Annotations[v1alpha1.AnnotationPreviousExpires] != "" {
		t.Errorf("after a day: the old key known: %v", known(first))
	}

	// A Secret that is deleted takes its keys with it.
	if err := o.Client.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s = kubetest.Await(t, o.Env, secret, "is made anew", func(s *corev1.Secret) bool { return keyOf(s) != second })
	third := keyOf(s)
	o.awaitEvent("a", "Normal KeyReplaced: the Secret a-api-key had no API key")
	if !project.ValidKey(third) || !inForce(third) || known(second) {
		t.Errorf("after it was deleted: the new key in force: %v; the old one known: %v", inForce(third), known(second))
	}

	// Who writes a key into it chose it; who writes what is no key gets another.
	chosen := "sk_" + strings.Repeat("c", 40)
	o.settled()
	edit(o, "a-api-key", secret, func(s *corev1.Secret) { s.Data["key"] = []byte(chosen) })
	kubetest.Await(t, o.Env, secret, "is the operator's again", func(s *corev1.Secret) bool { return keyOf(s) == chosen })
	o.settled()
	if !inForce(chosen) || known(third) {
		t.Error("a chosen key is not in force, or the one before it still is")
	}
	edit(o, "a-api-key", secret, func(s *corev1.Secret) { s.Data["key"] = []byte("hunter2") })
	s = kubetest.Await(t, o.Env, secret, "holds a key", func(s *corev1.Secret) bool { return project.ValidKey(keyOf(s)) })
	o.settled()
	if !inForce(keyOf(s)) || known(chosen) {
		t.Error("a replaced key is not in force, or the one before it still is")
	}
	if got := get(o, "a", &appsv1.Deployment{}).Generation; got != pods {
		t.Error("an API key rolled the pods")
	}
	o.await("a", "Ready=True/Ready")
	o.quiet()
}

// The password of the role is replaced when its Secret goes, and pods roll, but no other's.
func TestRoleSecret(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	o.Apply(t, o.instance("a"), o.instance("b"))
	o.await("a", "Ready=True/Ready")
	o.await("b", "Ready=True/Ready")
	o.settled()
	other := get(o, "b", &appsv1.Deployment{})
	print := func() string {
		return o.query("SELECT encode(r.password_print, 'hex') FROM instance_role r JOIN instance i ON i.id = r.instance_id WHERE i.alias = $1", o.alias("a"))
	}
	before, password := print(), string(get(o, "a-runtime", &corev1.Secret{}).Data["password"])
	config := get(o, "a", &appsv1.Deployment{}).Spec.Template.Annotations[v1alpha1.AnnotationConfigHash]
	rolls := func() {
		t.Helper()
		d := kubetest.Await(t, o.Env, &appsv1.Deployment{ObjectMeta: named("a")}, "rolls", func(d *appsv1.Deployment) bool {
			return d.Spec.Template.Annotations[v1alpha1.AnnotationConfigHash] != config
		})
		config = d.Spec.Template.Annotations[v1alpha1.AnnotationConfigHash]
	}
	if err := o.Client.Delete(t.Context(), get(o, "a-runtime", &corev1.Secret{})); err != nil {
		t.Fatal(err)
	}
	s := kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: named("a-runtime")}, "is made anew", func(s *corev1.Secret) bool { return string(s.Data["password"]) != password })
	if print() == before || !strings.Contains(string(s.Data["url"]), string(s.Data["password"])) {
		t.Error("the role has the old password, or the URL has")
	}
	rolls()
	o.awaitEvent("a", "Normal RoleReplaced: ")
	o.settled()

	before = print()
	edit(o, "a-runtime", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["password"] = []byte("a-password-of-an-admins-choice") })
	kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: named("a-runtime")}, "has it in the URL", func(s *corev1.Secret) bool {
		return strings.Contains(string(s.Data["url"]), "a-password-of-an-admins-choice")
	})
	rolls()
	if print() == before {
		t.Error("the role keeps the old password")
	}
	o.settled()
	edit(o, "a-runtime", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["instance-key"] = []byte("x") })
	kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: named("a-runtime")}, "has its own key again", func(s *corev1.Secret) bool { return len(s.Data["instance-key"]) == 32 })
	o.await("a", "Ready=True/Ready")
	if now := get(o, "b", &appsv1.Deployment{}); now.Generation != other.Generation {
		t.Error("another instance's pods rolled")
	}
	o.quiet()
}

func TestNamedKeys(t *testing.T) {
	t.Parallel()
	o := startOperator(t)
	o.RunDeployments(t, nil)
	value := func(c string) string { return "sk_" + strings.Repeat(c, 40) }
	key := func(name, secret string) v1alpha1.APIKey {
		return v1alpha1.APIKey{Name: name, SecretRef: v1alpha1.SecretKeyReference{Name: secret}, Scopes: []v1alpha1.Scope{v1alpha1.ScopeRead}}
	}
	secret := func(name, value string, labels map[string]string) *corev1.Secret {
		return &corev1.Secret{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
			Data: map[string][]byte{"key": []byte(value)},
		}
	}
	inForce := func(value string) bool {
		return o.query1("SELECT k.name FROM api_key k JOIN instance i ON i.id = k.instance_id WHERE i.alias = $1 AND k.hash = sha256($2)", o.alias("a"), []byte(value)) != ""
	}
	label := map[string]string{v1alpha1.LabelAPIKey: "yes"}
	o.Apply(t, o.instance("a", func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.APIKeys = []v1alpha1.APIKey{key("labelled", "labelled"), key("plain", "plain")}
	}))
	o.await("a", "Ready=False/SecretMissing", "KeysReady=False/SecretMissing", "Stalled=True/SecretMissing")
	o.Apply(t, secret("labelled", value("a"), label), secret("plain", value("b"), nil))
	in := o.await("a", "Ready=True/Ready", "KeysReady=True/KeysReady")
	if in.Status.KeySecretName != "" || !inForce(value("a")) || !inForce(value("b")) {
		t.Errorf("%q; in force: %v, %v", in.Status.KeySecretName, inForce(value("a")), inForce(value("b")))
	}

	// A labelled one is noticed at once, another when it is read again.
	o.settled()
	o.Apply(t, secret("labelled", "hunter2", label))
	o.await("a", "Ready=False/KeyInvalid")
	o.Apply(t, secret("labelled", value("c"), label))
	o.await("a", "Ready=True/Ready")
	if inForce(value("a")) || !inForce(value("c")) {
		t.Error("the old value is in force, or the new one isn't")
	}
	o.settled()
	o.Apply(t, secret("plain", value("d"), nil))
	o.clock.advance(11 * time.Minute)
	edit(o, "a", &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Annotations = map[string]string{"look": "now"} })
	for deadline := time.Now().Add(kubetest.Patience); !inForce(value("d")); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the Secret is not read again")
		}
	}
	if err := o.Client.Delete(t.Context(), get(o, "labelled", &corev1.Secret{})); err != nil {
		t.Fatal(err)
	}
	o.await("a", "Ready=False/SecretMissing")
	if inForce(value("c")) {
		t.Error("the key of a Secret that is gone is in force")
	}
	o.quiet()
}
