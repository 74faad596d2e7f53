package samples_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/config/samples"
	"github.com/open4x/socialops/controllers/kubetest"
)

func TestMain(m *testing.M) { kubetest.Main(m) }

// What a person applies from this folder is taken, and gets its defaults.
func TestSamplesAreTaken(t *testing.T) {
	t.Parallel()
	env := kubetest.New(t)
	files, err := samples.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() || file.Name() == "kustomization.yaml" {
			continue
		}
		manifest, err := samples.Files.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range kubetest.Load(t, string(manifest)) {
			if err := create(t, env, o); err != nil {
				t.Errorf("%s: %v", file.Name(), err)
			}
		}
	}

	var in v1alpha1.SocialOpsInstance
	if err := env.Client.Get(t.Context(), client.ObjectKey{Namespace: env.Namespace, Name: "support"}, &in); err != nil {
		t.Fatal(err)
	}
	limit := resource.MustParse("25Mi")
	if in.Spec.Exposure.Type != v1alpha1.ExposureNone || in.Spec.DeletionPolicy != v1alpha1.DeletionRetain || in.Spec.BodyLimit == nil || in.Spec.BodyLimit.Cmp(limit) != 0 ||
		len(in.Spec.Providers) != 3 || *in.Spec.RateLimit.RequestsPerMinute != 6000 || in.Spec.RateLimit.Burst != 200 || in.Spec.Billing.Prices.Inbound != "0.0002" {
		t.Errorf("the instance lacks defaults: %+v", in.Spec)
	}
	var bindings v1alpha1.ChannelBindingList
	if err := env.Client.List(t.Context(), &bindings, client.InNamespace(env.Namespace)); err != nil {
		t.Fatal(err)
	}
	if len(bindings.Items) != 3 {
		t.Errorf("%d bindings, want one of each provider", len(bindings.Items))
	}
	for _, b := range bindings.Items {
		if b.Spec.Active == nil || !*b.Spec.Active {
			t.Errorf("%s: active has no default", b.Name)
		}
	}
}

// Every invalid sample is refused when it is applied, in the words that it promises.
func TestInvalidSamplesAreRefused(t *testing.T) {
	t.Parallel()
	refused, err := samples.Refused()
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) < 100 {
		t.Fatalf("only %d files", len(refused))
	}
	for _, sample := range refused {
		t.Run(strings.TrimSuffix(sample.Name, ".yaml"), func(t *testing.T) {
			t.Parallel()
			env := kubetest.New(t)
			o := one(t, sample.Manifest)
			apply := create
			if sample.Before != "" {
				before := one(t, sample.Before)
				if err := create(t, env, before); err != nil {
					t.Fatal(err)
				}
				o.SetResourceVersion(before.GetResourceVersion())
				apply = update
			}
			for _, difference := range sample.Differences(messages(t, apply(t, env, o))) {
				t.Error(difference)
			}
			// A server-side apply, which meets the schema's types first, words some of it otherwise.
			if err := env.TryApply(t, one(t, sample.Manifest)); !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !typeMismatch(err) {
				t.Errorf("a server-side apply is answered: %v", err)
			}
		})
	}
}

// create and update do what kubectl apply does for a new object and a known one.
func create(t *testing.T, env *kubetest.Env, o client.Object) error {
	t.Helper()
	o.SetNamespace(env.Namespace)
	return env.Client.Create(t.Context(), o, client.FieldValidation(metav1.FieldValidationStrict))
}

func update(t *testing.T, env *kubetest.Env, o client.Object) error {
	t.Helper()
	o.SetNamespace(env.Namespace)
	return env.Client.Update(t.Context(), o, client.FieldValidation(metav1.FieldValidationStrict))
}

func one(t *testing.T, manifest string) client.Object {
	t.Helper()
	objects := kubetest.Load(t, manifest)
	if len(objects) != 1 {
		t.Fatalf("the sample holds %d objects", len(objects))
	}
	return objects[0]
}

// messages are what kubectl prints, a problem each.
func messages(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		t.Fatal("it was taken")
	}
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		t.Fatal(err)
	}
	details := status.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return []string{err.Error()}
	}
	var list []string
	for _, cause := range details.Causes {
		if strings.Contains(cause.Message, "some validation rules were not checked") {
			continue // a remark beside the problems
		}
		list = append(list, cause.Field+": "+cause.Message)
	}
	return list
}

// typeMismatch is what a server-side apply answers to a value of another type.
func typeMismatch(err error) bool {
	return err != nil && strings.Contains(err.Error(), "failed to create typed patch object")
}
