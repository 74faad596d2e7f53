package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

const healNamespace = "heal"

// healLimit is how long an object may stay away or wrong.
const healLimit = 15 * time.Second

// owned are the objects of an instance with every feature, and an edit of each that
// must not last.
var owned = []struct {
	kind schema.GroupVersionKind
	edit string // a JSON patch
}{
	{schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}, `[{"op":"replace","path":"/automountServiceAccountToken","value":true}]`},
	{schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, `[{"op":"replace","path":"/data/SOCIALOPS_ALIAS","value":"other"}]`},
	{schema.GroupVersionKind{Version: "v1", Kind: "Service"}, `[{"op":"replace","path":"/spec/ports/0/targetPort","value":1}]`},
	{schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}, `[{"op":"replace","path":"/spec/ingress","value":[{}]}]`},
	{schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}, `[{"op":"replace","path":"/spec/rules/0/host","value":"other.example.test"}]`},
	{schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}, `[{"op":"replace","path":"/spec/maxUnavailable","value":"100%"}]`},
	{schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}, `[{"op":"replace","path":"/spec/maxReplicas","value":9}]`},
	{schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"` + productRepository + `:edited"}]`},
}

// proveHealing edits and deletes every object of an instance by hand.
func (e *e2e) proveHealing(ctx context.Context) error {
	if err := e.kube.namespace(ctx, healNamespace); err != nil {
		return err
	}
	err := e.kube.apply(ctx, healNamespace, instance("heal", "heal", `
  autoscaling: {minReplicas: 2, maxReplicas: 3}
  exposure: {type: Ingress, host: heal.example.test}
`))
	if err != nil {
		return err
	}
	in, err := e.open(ctx, healNamespace, "heal", "heal")
	if err != nil {
		return err
	}
	others, err := e.deployments(ctx)
	if err != nil {
		return err
	}
	var wrong []error
	for _, o := range owned {
		wrong = append(wrong, e.healsEdit(ctx, o.kind, o.edit), e.healsDeletion(ctx, o.kind))
	}
	wrong = append(wrong, e.instanceReady(ctx, healNamespace, "heal"))
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	return errors.Join(e.healsKey(ctx, in), e.healsRole(ctx), e.othersUntouched(ctx, others), e.refusesForeign(ctx))
}

func healed(kind schema.GroupVersionKind) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	o.SetNamespace(healNamespace)
	o.SetName("heal")
	return o
}

// content is what of an object is looked at.
func content(o *unstructured.Unstructured) map[string]any {
	c := map[string]any{}
	for _, field := range []string{"spec", "data", "automountServiceAccountToken"} {
		if v, ok := o.Object[field]; ok {
			c[field] = v
		}
	}
	return c
}

// healsEdit edits an object, and waits until it is as it was.
func (e *e2e) healsEdit(ctx context.Context, kind schema.GroupVersionKind, patch string) error {
	o := healed(kind)
	if err := e.kube.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return fmt.Errorf("reading the %s: %w", kind.Kind, err)
	}
	before := content(o.DeepCopy())
	if err := e.kube.Patch(ctx, o, client.RawPatch(types.JSONPatchType, []byte(patch))); err != nil {
		return fmt.Errorf("editing the %s: %w", kind.Kind, err)
	}
	if reflect.DeepEqual(before, content(o)) {
		return fmt.Errorf("editing the %s changed nothing, so it proves nothing", kind.Kind)
	}
	return await(ctx, healLimit, "the edited "+kind.Kind+" to be as it was", func(ctx context.Context) (string, error) {
		if err := e.kube.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return "", err
		}
		if now := content(o); !reflect.DeepEqual(before, now) {
			was, _ := json.Marshal(before)
			is, _ := json.Marshal(now)
			return fmt.Sprintf("it was %s and is %s", was, is), nil
		}
		return "", nil
	})
}

// healsDeletion deletes an object, and waits until there is another.
func (e *e2e) healsDeletion(ctx context.Context, kind schema.GroupVersionKind) error {
	o := healed(kind)
	if err := e.kube.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return fmt.Errorf("reading the %s: %w", kind.Kind, err)
	}
	return e.replaced(ctx, o, nil)
}

// replaced deletes an object and waits until there is another of its name.
func (e *e2e) replaced(ctx context.Context, o client.Object, deleted func()) error {
	uid := o.GetUID()
	what := fmt.Sprintf("%s %s", o.GetObjectKind().GroupVersionKind().Kind, o.GetName())
	if err := e.kube.Delete(ctx, o); err != nil {
		return fmt.Errorf("deleting the %s: %w", what, err)
	}
	if deleted != nil {
		deleted()
	}
	return await(ctx, healLimit, "the deleted "+what+" to come back", func(ctx context.Context) (string, error) {
		err := e.kube.Get(ctx, client.ObjectKeyFromObject(o), o)
		switch {
		case apierrors.IsNotFound(err):
			return "there is none", nil
		case err != nil:
			return "", err
		case o.GetUID() == uid:
			return "the old one is there", nil
		}
		return "", nil
	})
}

// healsKey deletes the Secret with the generated API key: another key takes its place
// and the old one is refused. Then it has the key rotated, which leaves the old one
// valid.
func (e *e2e) healsKey(ctx context.Context, in *inbox) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: healNamespace, Name: "heal-api-key"}}
	if err := e.kube.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return fmt.Errorf("reading the key's Secret: %w", err)
	}
	if err := e.replaced(ctx, secret, nil); err != nil {
		return err
	}
	renewed := *in
	var err error
	if renewed.key, err = e.kube.secretValue(ctx, healNamespace, "heal-api-key", "key"); err != nil {
		return err
	}
	if err := e.keys(ctx, map[*inbox]int{in: http.StatusUnauthorized, &renewed: http.StatusOK}); err != nil {
		return err
	}
	if _, err := e.kube.kubectl(ctx, "annotate", "socialopsinstance", "heal", "--namespace", healNamespace, v1alpha1.AnnotationRotateKeys+"=e2e"); err != nil {
		return err
	}
	rotated := renewed
	err = await(ctx, healLimit, "another key", func(ctx context.Context) (string, error) {
		rotated.key, err = e.kube.secretValue(ctx, healNamespace, "heal-api-key", "key")
		if err == nil && rotated.key == renewed.key {
			return "it is the same", nil
		}
		return "", err
	})
	if err != nil {
		return err
	}
	return e.keys(ctx, map[*inbox]int{&renewed: http.StatusOK, &rotated: http.StatusOK})
}

// keys waits until each key is answered with a status. Runtimes keep keys for 5 s.
func (e *e2e) keys(ctx context.Context, want map[*inbox]int) error {
	return await(ctx, healLimit, "keys to be taken or refused", func(ctx context.Context) (string, error) {
		for in, status := range want {
			a, err := in.call(ctx, http.MethodGet, "/inbox?limit=1", nil)
			if err != nil {
				return "", err
			}
			if a.status != status {
				return fmt.Sprintf("a key is answered %d; want %d", a.status, status), nil
			}
		}
		return "", nil
	})
}

// healsRole deletes the Secret with the database role's password: the role gets
// another, and the pods that use it roll.
func (e *e2e) healsRole(ctx context.Context) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: healNamespace, Name: "heal-runtime"}}
	if err := e.kube.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return fmt.Errorf("reading the role's Secret: %w", err)
	}
	password := string(secret.Data["password"])
	pods, err := e.pods(ctx, healNamespace, "heal")
	if err != nil {
		return err
	}
	if err := e.replaced(ctx, secret, nil); err != nil {
		return err
	}
	if string(secret.Data["password"]) == password {
		return errors.New("the replaced Secret of the role holds the old password")
	}
	old := map[types.UID]bool{}
	for _, p := range pods {
		old[p.UID] = true
	}
	err = await(ctx, startLimit, "pods with the new password", func(ctx context.Context) (string, error) {
		pods, err := e.pods(ctx, healNamespace, "heal")
		for _, p := range pods {
			if old[p.UID] {
				return p.Name + " is an old one", nil
			}
		}
		return "", err
	})
	if err != nil {
		return err
	}
	return e.instanceReady(ctx, healNamespace, "heal")
}

// othersUntouched compares the Deployments of all other instances with what they were.
func (e *e2e) othersUntouched(ctx context.Context, before map[string]int64) error {
	after, err := e.deployments(ctx)
	if err != nil {
		return err
	}
	for name, generation := range before {
		if now, there := after[name]; there && name != healNamespace+"/heal" && now != generation {
			return fmt.Errorf("healing one instance changed the Deployment %s: generation %d became %d", name, generation, now)
		}
	}
	return nil
}

// refusesForeign has an object of somebody else stand where an instance wants its own.
func (e *e2e) refusesForeign(ctx context.Context) error {
	theirs := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: healNamespace, Name: "foreign"},
		Data:       map[string]string{"of": "somebody else"},
	}
	if err := e.kube.Create(ctx, theirs); err != nil {
		return fmt.Errorf("making somebody else's ConfigMap: %w", err)
	}
	if err := e.kube.apply(ctx, healNamespace, instance("foreign", "foreign", "")); err != nil {
		return err
	}
	if err := e.instanceReason(ctx, healNamespace, "foreign", v1alpha1.ConditionStalled, v1alpha1.ReasonForeignObject); err != nil {
		return err
	}
	if err := e.kube.Get(ctx, client.ObjectKeyFromObject(theirs), theirs); err != nil {
		return fmt.Errorf("reading somebody else's ConfigMap: %w", err)
	}
	if len(theirs.Data) != 1 || len(theirs.OwnerReferences) != 0 {
		return fmt.Errorf("somebody else's ConfigMap was touched: it holds %v", theirs.Data)
	}
	if err := e.kube.Delete(ctx, theirs); err != nil {
		return fmt.Errorf("deleting somebody else's ConfigMap: %w", err)
	}
	return e.instanceReady(ctx, healNamespace, "foreign")
}
