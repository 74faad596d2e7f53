package charts

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/kubetest"
)

// A real API server takes every object of every case, field by field. The Prometheus operator's kinds are not its own,
// so they aren't asked about here.
func TestAnAPIServerTakesTheObjects(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	for _, name := range []string{home, "team-a", "team-b"} {
		err := env.Client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
	}
	manifests := map[string]string{
		"kustomize":                  mustRun(t, kustomize, "build", "../config/default"),
		"kustomize with the console": mustRun(t, kustomize, "build", "../config/console"),
	}
	for name, file := range values(t) {
		manifests[name] = template(t, "--values", file)
	}
	for name, manifest := range manifests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range objects(t, manifest) {
				if strings.HasPrefix(o.GetAPIVersion(), "monitoring.coreos.com/") {
					continue
				}
				if err := dryRun(t, env, o); err != nil {
					t.Errorf("%s: %v", key(o), err)
				}
			}
		})
	}
}

func dryRun(t *testing.T, env *kubetest.Env, o *unstructured.Unstructured) error {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return env.Client.Patch(t.Context(), o.DeepCopy(), client.RawPatch(types.ApplyPatchType, data),
		client.FieldOwner("helm"), client.ForceOwnership, client.DryRunAll, client.FieldValidation("Strict"))
}
