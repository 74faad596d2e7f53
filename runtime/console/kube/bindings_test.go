package kube_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/console/kube"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestMain(m *testing.M) { kubetest.Main(m) }

// granted is what the chart lets the console do.
var granted = []rbacv1.PolicyRule{{
	APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"channelbindings"}, Verbs: []string{"get", "list", "create", "patch"},
}}

func newBindings(t *testing.T, env *kubetest.Env, rules []rbacv1.PolicyRule) *kube.Bindings {
	t.Helper()
	user := kubetest.ServiceAccount(env.Namespace, "console")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	if rules != nil {
		env.Grant(t, user, rules, env.Namespace)
	}
	b, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func binding(namespace, name string, change ...func(*v1alpha1.ChannelBinding)) *v1alpha1.ChannelBinding {
	b := &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{v1alpha1.AnnotationChangedBy: "alice"}},
		Spec: v1alpha1.ChannelBindingSpec{
			InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderGenericWebhook, ChannelName: "Shop", ExternalChannelID: "shop",
		},
	}
	for _, c := range change {
		c(b)
	}
	return b
}

func read(t *testing.T, env *kubetest.Env, name string) *v1alpha1.ChannelBinding {
	t.Helper()
	b := &v1alpha1.ChannelBinding{}
	if err := env.Client.Get(t.Context(), client.ObjectKey{Namespace: env.Namespace, Name: name}, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBindings(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	b := newBindings(t, env, granted)
	made := binding(env.Namespace, "shop")
	if err := b.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	if made.UID == "" || made.Generation != 1 || !made.Spec.IsActive() {
		t.Errorf("what the API server added is missing: %+v", made)
	}
	for _, name := range []string{"b", "a"} {
		if err := b.Create(t.Context(), binding(env.Namespace, name, func(c *v1alpha1.ChannelBinding) { c.Spec.ExternalChannelID = name })); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Create(t.Context(), binding(env.Namespace, "", func(c *v1alpha1.ChannelBinding) {
		c.GenerateName, c.Spec.InstanceRef.Name = "other-", "other"
	})); err != nil {
		t.Fatal(err)
	}

	changed, err := b.Update(t.Context(), env.Namespace, "shop", func(s *v1alpha1.ChannelBindingSpec) {
		s.Active, s.ExternalChannelID = new(false), ""
	}, "bob")
	if err != nil {
		t.Fatal(err)
	}
	now := read(t, env, "shop")
	if now.Spec.IsActive() || now.Spec.ExternalChannelID != "" || now.Annotations[v1alpha1.AnnotationChangedBy] != "bob" || now.Generation != 2 || changed.Generation != 2 {
		t.Errorf("after the change it is %+v", now)
	}
	if m := now.ManagedFields; m[len(m)-1].Manager != kube.FieldManager {
		t.Errorf("the field managers are %+v", m)
	}
	if _, err := b.Update(t.Context(), env.Namespace, "shop", func(*v1alpha1.ChannelBindingSpec) {}, "carol"); err != nil {
		t.Fatal(err)
	}
	if again := read(t, env, "shop"); again.ResourceVersion != now.ResourceVersion {
		t.Error("a change of nothing wrote")
	}

	list, err := b.List(t.Context(), env.Namespace, "support")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	if strings.Join(names, " ") != "a b shop" {
		t.Errorf("support's bindings are %v", names)
	}
}

// TestChangedMeanwhile: of two changes of different fields at once, both are made.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	b := newBindings(t, env, granted)
	if err := b.Create(t.Context(), binding(env.Namespace, "shop")); err != nil {
		t.Fatal(err)
	}
	others := 0
	other := func() {
		others++
		c := read(t, env, "shop")
		was := c.DeepCopy()
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, "example.com/n", strings.Repeat("x", others))
		if err := env.Client.Patch(t.Context(), c, client.MergeFrom(was)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.Update(t.Context(), env.Namespace, "shop", func(s *v1alpha1.ChannelBindingSpec) {
		s.ChannelName = "The shop"
		if others < 2 {
			other()
		}
	}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if c := read(t, env, "shop"); c.Spec.ChannelName != "The shop" || c.Annotations["example.com/n"] != "xx" {
		t.Errorf("it is %+v", c)
	}
	_, err = b.Update(t.Context(), env.Namespace, "shop", func(s *v1alpha1.ChannelBindingSpec) {
		s.ChannelName = "Another"
		other()
	}, "alice")
	mustBe(t, err, inbox.CodeConflict, "keeps changing")
}

func TestRefused(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	b := newBindings(t, env, granted)
	if err := b.Create(t.Context(), binding(env.Namespace, "shop")); err != nil {
		t.Fatal(err)
	}
	create := func(change func(*v1alpha1.ChannelBinding)) func(context.Context) error {
		return func(ctx context.Context) error { return b.Create(ctx, binding(env.Namespace, "new", change)) }
	}
	update := func(name string, change func(*v1alpha1.ChannelBindingSpec)) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := b.Update(ctx, env.Namespace, name, change, "alice")
			return err
		}
	}
	for name, c := range map[string]struct {
		do   func(context.Context) error
		code inbox.Code
		says string
	}{
		"no account": {create(func(c *v1alpha1.ChannelBinding) { c.Spec.Provider = v1alpha1.ProviderTelegram }), inbox.CodeInvalid, "spec.connectedAccountRef: telegram and github need a connected account"},
		"no chat id": {create(func(c *v1alpha1.ChannelBinding) {
			c.Spec.Provider, c.Spec.ConnectedAccountRef.Name, c.Spec.ExternalChannelID = v1alpha1.ProviderTelegram, "bot", "@chat"
		}), inbox.CodeInvalid, "spec.externalChannelID: for telegram this is a numeric chat id"},
		"no name":           {create(func(c *v1alpha1.ChannelBinding) { c.Spec.ChannelName = " " }), inbox.CodeInvalid, "spec.channelName: must be a name on one line"},
		"long name":         {create(func(c *v1alpha1.ChannelBinding) { c.Spec.ChannelName = strings.Repeat("x", 129) }), inbox.CodeInvalid, "spec.channelName: "},
		"unknown provider":  {create(func(c *v1alpha1.ChannelBinding) { c.Spec.Provider = "pigeon" }), inbox.CodeInvalid, "spec.provider: "},
		"taken name":        {create(func(c *v1alpha1.ChannelBinding) { c.Name = "shop" }), inbox.CodeConflict, "already"},
		"no such object":    {update("none", func(*v1alpha1.ChannelBindingSpec) {}), inbox.CodeNotFound, "any more"},
		"other instance":    {update("shop", func(s *v1alpha1.ChannelBindingSpec) { s.InstanceRef.Name = "other" }), inbox.CodeInvalid, "spec.instanceRef: can't be changed"},
		"no such namespace": {func(ctx context.Context) error { return b.Create(ctx, binding("nowhere", "new")) }, inbox.CodeUnavailable, `may not create channelbindings.socialops.dev in the namespace "nowhere"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.do(t.Context())
			mustBe(t, err, c.code, c.says)
			if strings.Contains(messageOf(err), "@chat") || strings.Contains(messageOf(err), "xxx") {
				t.Errorf("the value is repeated: %v", err)
			}
		})
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	none := newBindings(t, env, nil)
	_, err := none.List(t.Context(), env.Namespace, "support")
	mustBe(t, err, inbox.CodeUnavailable, "may not list channelbindings.socialops.dev")

	reading := granted[0].DeepCopy()
	reading.Verbs = []string{"get", "list"}
	user := kubetest.ServiceAccount(env.Namespace, "reader")
	config, err := env.User(user)
	if err != nil {
		t.Fatal(err)
	}
	env.Grant(t, user, []rbacv1.PolicyRule{*reading}, env.Namespace)
	b, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mustBe(t, b.Create(t.Context(), binding(env.Namespace, "shop")), inbox.CodeUnavailable, "may not create")
	if err := env.Client.Create(t.Context(), binding(env.Namespace, "shop")); err != nil {
		t.Fatal(err)
	}
	_, err = b.Update(t.Context(), env.Namespace, "shop", func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = "x" }, "alice")
	mustBe(t, err, inbox.CodeUnavailable, "may not patch")
}

// TestPolicy: what an admission policy says reaches whoever clicked.
func TestPolicy(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	b := newBindings(t, env, granted)
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: env.Namespace + "-shops"},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: new(admissionv1.Fail),
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"channelbindings"}},
			}}}},
			Validations: []admissionv1.Validation{{Expression: "object.spec.channelName != 'Shop'", Message: "ask the shop's team first", Reason: new(metav1.StatusReasonForbidden)}},
		},
	}
	bound := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: env.Namespace + "-shops"},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": env.Namespace}}},
		},
	}
	for _, o := range []client.Object{policy, bound} {
		if err := env.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	// The API server hears of its policies by a watch of its own.
	var err error
	for err == nil && t.Context().Err() == nil {
		err = b.Create(t.Context(), binding(env.Namespace, "", func(c *v1alpha1.ChannelBinding) { c.GenerateName = "shop-" }))
	}
	mustBe(t, err, inbox.CodeUnprocessed, "ask the shop's team first")
}

func TestNamespaceLeaves(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	b := newBindings(t, env, granted)
	held := binding(env.Namespace, "held", func(c *v1alpha1.ChannelBinding) { c.Finalizers = []string{"example.com/held"} })
	if err := env.Client.Create(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Delete(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	_, err := b.Update(t.Context(), env.Namespace, "held", func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = "x" }, "alice")
	mustBe(t, err, inbox.CodeConflict, "being deleted")
	if list, err := b.List(t.Context(), env.Namespace, "support"); err != nil || len(list) > 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
}

// TestAway: nothing is asked at the start, and each call tells that nobody answers.
func TestAway(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }))
	t.Cleanup(failing.Close)
	bare := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(bare.Close)
	for name, c := range map[string]struct{ url, says string }{
		"gone": {gone.URL, "can't be reached"}, "failing": {failing.URL, "does not answer as it should"}, "without our kinds": {bare.URL, "CustomResourceDefinitions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := kube.New(&rest.Config{Host: c.url})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.List(t.Context(), "default", "support")
			mustBe(t, err, inbox.CodeUnavailable, c.says)
		})
	}
}

func mustBe(t *testing.T, err error, code inbox.Code, says string) {
	t.Helper()
	if inbox.CodeOf(err) != code || !strings.Contains(messageOf(err), says) {
		t.Errorf("%v (code %q): want code %q and a message with %q", err, inbox.CodeOf(err), code, says)
	}
}

// messageOf is what the person sees.
func messageOf(err error) string {
	if e, ok := errors.AsType[*inbox.Error](err); ok {
		return e.Message
	}
	return ""
}
