package desired

import (
	"time"

	v1 "k8s.io/api/core/v1"
	corev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// Keys of the Secret that an instance's pods read.
const (
	// KeyURL is the database's URL as the instance's own role.
	KeyURL = "url"
	// KeyPassword is that role's password, which is in the URL too. Pods don't see it.
	KeyPassword = "password"
	// KeyInstanceKey is the instance's own key, 32 bytes.
	KeyInstanceKey = "instance-key"
)

// Keys of the Secret with the generated API key.
const (
	KeyAPIKey         = "key"
	KeyPreviousAPIKey = "previous"
)

// RuntimeSecretName is the Secret that an instance's pods read.
func RuntimeSecretName(in *v1alpha1.SocialOpsInstance) string { return in.Name + "-runtime" }

// KeySecretName is the Secret with an instance's generated API key.
func KeySecretName(in *v1alpha1.SocialOpsInstance) string { return in.Name + "-api-key" }

func runtimeSecret(in *v1alpha1.SocialOpsInstance, data map[string][]byte) *corev1.SecretApplyConfiguration {
	return secret(in, RuntimeSecretName(in)).WithData(map[string][]byte{
		KeyURL: data[KeyURL], KeyPassword: data[KeyPassword], KeyInstanceKey: data[KeyInstanceKey],
	})
}

func keySecret(in *v1alpha1.SocialOpsInstance, k *KeySecret) *corev1.SecretApplyConfiguration {
	s := secret(in, KeySecretName(in)).WithData(map[string][]byte{KeyAPIKey: []byte(k.Key)})
	if k.RotatedFor != "" {
		s.WithAnnotations(map[string]string{v1alpha1.AnnotationRotatedFor: k.RotatedFor})
	}
	if k.Previous != "" {
		s.WithData(map[string][]byte{KeyPreviousAPIKey: []byte(k.Previous)})
		s.WithAnnotations(map[string]string{v1alpha1.AnnotationPreviousExpires: k.PreviousExpires.UTC().Format(time.RFC3339)})
	}
	return s
}

func secret(in *v1alpha1.SocialOpsInstance, name string) *corev1.SecretApplyConfiguration {
	return corev1.Secret(name, in.Namespace).
		WithLabels(Labels(in)).
		WithOwnerReferences(owner(in)).
		WithType(v1.SecretTypeOpaque)
}
