package charts

import (
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// rules are those of a Role or ClusterRole.
func rules(t *testing.T, o *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole // a Role has the same rules
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role); err != nil {
		t.Fatalf("%s: %v", key(o), err)
	}
	return role.Rules
}

// Only clusterWide lets anybody read beyond the namespaces that are named; what else is cluster-wide asks who somebody
// is, or reads metrics.
func TestOnlyClusterWideReachesEveryNamespace(t *testing.T) {
	t.Parallel()
	harmless := func(r rbacv1.PolicyRule) bool {
		return slices.Equal(r.Verbs, []string{"create"}) && (slices.Equal(r.Resources, []string{"tokenreviews"}) || slices.Equal(r.Resources, []string{"subjectaccessreviews"})) ||
			slices.Equal(r.NonResourceURLs, []string{"/metrics"}) && slices.Equal(r.Verbs, []string{"get"})
	}
	for name, file := range values(t) {
		wide := 0
		for _, o := range objects(t, template(t, "--values", file)) {
			if o.GetKind() != "ClusterRole" {
				continue
			}
			for _, r := range rules(t, o) {
				if !harmless(r) {
					wide++
				}
			}
		}
		if want := name == "cluster-wide"; (wide > 0) != want {
			t.Errorf("%s: %d rules of ClusterRoles reach every namespace", name, wide)
		}
	}
}

// Each watched namespace has the operator's Role, bound to its ServiceAccount in the release's namespace.
func TestARoleForEachNamespace(t *testing.T) {
	t.Parallel()
	bound := map[string]bool{}
	for _, o := range objects(t, template(t, "--values", values(t)["namespaces"])) {
		if o.GetKind() != "RoleBinding" || isHook(o) {
			continue
		}
		var b rbacv1.RoleBinding
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &b); err != nil {
			t.Fatal(err)
		}
		if len(b.Subjects) != 1 || b.Subjects[0] != (rbacv1.Subject{Kind: "ServiceAccount", Name: "socialops-operator", Namespace: home}) {
			t.Errorf("%s binds %v", key(o), b.Subjects)
		}
		bound[b.Namespace+" "+b.RoleRef.Name] = true
	}
	for _, want := range []string{"team-a socialops-operator", "team-b socialops-operator", home + " socialops-operator-home"} {
		if !bound[want] {
			t.Errorf("no binding %s among %v", want, bound)
		}
	}
	if len(bound) != 3 {
		t.Errorf("bindings are %v", bound)
	}
}

// In its own namespace the operator reads the Secrets that it makes, by name, unless it watches that namespace too.
func TestSecretsOfItsOwnNamespaceAreNamed(t *testing.T) {
	t.Parallel()
	for _, o := range objects(t, template(t, "--values", values(t)["namespaces"])) {
		if o.GetKind() != "Role" || o.GetNamespace() != home {
			continue
		}
		for _, r := range rules(t, o) {
			if slices.Contains(r.Resources, "secrets") && !slices.Equal(r.Verbs, []string{"create"}) && len(r.ResourceNames) == 0 {
				t.Errorf("%s: %v of every Secret", key(o), r.Verbs)
			}
		}
	}
}

// A star grants what nobody has thought of.
func TestNoRuleHasAStar(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		for _, o := range objects(t, template(t, "--values", file)) {
			if o.GetKind() != "Role" && o.GetKind() != "ClusterRole" {
				continue
			}
			for _, r := range rules(t, o) {
				if slices.Contains(slices.Concat(r.APIGroups, r.Resources, r.Verbs, r.NonResourceURLs), "*") {
					t.Errorf("%s: %s has %+v", name, key(o), r)
				}
			}
		}
	}
}
