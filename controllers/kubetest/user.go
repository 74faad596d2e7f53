package kubetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// ServiceAccount is the user name of a pod's ServiceAccount.
func ServiceAccount(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// User is a client's configuration as a user, who may do only what [Env.Grant] lets
// him. Bindings to a ServiceAccount hold for a user of its name.
func (c *Cluster) User(name string) (*rest.Config, error) {
	u, err := c.addUser(name)
	if err != nil {
		return nil, err
	}
	return u.Config(), nil
}

// Kubeconfig is a file that lets a process be the user.
func (c *Cluster) Kubeconfig(name string) ([]byte, error) {
	u, err := c.addUser(name)
	if err != nil {
		return nil, err
	}
	u.Config() // fills in the server's address, which KubeConfig leaves to it
	file, err := u.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("making the kubeconfig of %s: %w", name, err)
	}
	return file, nil
}

func (c *Cluster) addUser(name string) (*envtest.AuthenticatedUser, error) {
	c.users.Lock()
	defer c.users.Unlock()
	u, err := c.env.AddUser(envtest.User{Name: name, Groups: groups(name)}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, fmt.Errorf("making the user %s: %w", name, err)
	}
	return u, nil
}

// groups are those that a user is in without being told.
func groups(user string) []string {
	groups := []string{"system:authenticated"}
	if rest, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		namespace, _, _ := strings.Cut(rest, ":")
		groups = append(groups, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	}
	return groups
}

// Grant lets a user do what rules say: in namespaces, or with none in the whole
// cluster. It returns the role, for tests that take something back, once the API
// server knows of it.
func (e *Env) Grant(t testing.TB, user string, rules []rbacv1.PolicyRule, namespaces ...string) []client.Object {
	t.Helper()
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	name := fmt.Sprintf("test-%d", sequence.Add(1))
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
	var roles []client.Object
	create := func(role, binding client.Object) {
		t.Helper()
		for _, o := range []client.Object{role, binding} {
			if err := e.Client.Create(t.Context(), o); err != nil {
				t.Fatalf("granting rules to %s: %v", user, err)
			}
		}
		e.awaitGranted(t, user, role.GetNamespace(), rules)
		roles = append(roles, role)
	}
	for _, ns := range namespaces {
		meta := metav1.ObjectMeta{Namespace: ns, Name: name}
		create(&rbacv1.Role{ObjectMeta: meta, Rules: rules}, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})
	}
	if len(namespaces) == 0 {
		ref.Kind = "ClusterRole"
		meta := metav1.ObjectMeta{Name: name}
		create(&rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})
	}
	return roles
}

// awaitGranted waits until the API server's authorizer has heard of the last rule.
func (e *Env) awaitGranted(t testing.TB, user, namespace string, rules []rbacv1.PolicyRule) {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rbacv1.PolicyRule) bool { return len(r.Resources) > 0 && len(r.ResourceNames) == 0 })
	if i < 0 {
		return
	}
	e.AwaitAccess(t, user, namespace, rules[i].APIGroups[0], rules[i].Resources[0], rules[i].Verbs[0], true)
}

// AwaitAccess waits until a user may, or may no longer, do something. The authorizer
// hears of roles by a watch of its own, on which nobody else can wait.
func (e *Env) AwaitAccess(t testing.TB, user, namespace, group, resource, verb string, allowed bool) {
	t.Helper()
	review := authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user, Groups: groups(user),
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Group: group, Resource: resource, Verb: verb},
	}}
	for deadline := time.Now().Add(Patience); ; time.Sleep(10 * time.Millisecond) {
		r := review.DeepCopy()
		if err := e.Client.Create(t.Context(), r); err != nil {
			t.Fatalf("asking what %s may do: %v", user, err)
		}
		if r.Status.Allowed == allowed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("whether %s may %s %s.%s is still %v", user, verb, resource, group, !allowed)
		}
	}
}
