package controllers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/seal"
)

// The keys of the install's Secrets.
const (
	keyInstallID     = "install-id"
	keyEncryptionKey = "encryption-key"
	keyTrialPassword = "password"
)

// install is what tells this install from others in one database, and what its
// credentials are sealed with. Both are made once: who loses them loses what is stored.
type install struct {
	id            [16]byte
	encryptionKey []byte
}

// ensureInstall reads the install's Secret, or makes it. Of several operators that
// start at once one makes it, and all go on with that one. A damaged one is not
// replaced, as a backup may hold the right one.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create,namespace=own
func ensureInstall(ctx context.Context, c client.Client, o *Options) (install, error) {
	s, err := ensureSecret(ctx, c, o.Namespace, o.InstallSecret, func() map[string][]byte {
		id := make([]byte, len(install{}.id))
		_, _ = rand.Read(id) // never fails: it aborts the program instead
		return map[string][]byte{keyInstallID: id, keyEncryptionKey: seal.Generate()}
	})
	if err != nil {
		return install{}, err
	}
	for key, size := range map[string]int{keyInstallID: len(install{}.id), keyEncryptionKey: seal.KeySize} {
		if got := len(s.Data[key]); got != size {
			return install{}, fmt.Errorf("the Secret %s/%s is damaged: its %q has %d bytes, not %d; restore it from a backup, as what is stored can't be read without it, "+
				"or delete it if nothing is stored yet, and another one is made", o.Namespace, o.InstallSecret, key, got, size)
		}
	}
	return install{[16]byte(s.Data[keyInstallID]), s.Data[keyEncryptionKey]}, nil
}

// useTrialDatabase makes the URL of the trial Postgres, if there is one, of its
// Secret, which the Postgres's own pod reads, too.
func useTrialDatabase(ctx context.Context, c client.Client, o *Options) error {
	if o.TrialSecret == "" {
		return nil
	}
	if o.TrialHost == "" {
		return errors.New("the trial database has a Secret and no address: name its host and port")
	}
	s, err := ensureSecret(ctx, c, o.Namespace, o.TrialSecret, func() map[string][]byte {
		return map[string][]byte{keyTrialPassword: []byte(newPassword())}
	})
	if err != nil {
		return err
	}
	password := string(s.Data[keyTrialPassword])
	if password == "" {
		return fmt.Errorf("the Secret %s/%s of the trial database is damaged: it has no %q; delete it together with the database's pod, and both are made anew",
			o.Namespace, o.TrialSecret, keyTrialPassword)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Host: o.TrialHost, Path: "/socialops"}
	o.DatabaseURL = u.String()
	o.DirectURL = o.DatabaseURL // there is no pooler
	return nil
}

// newPassword is one that needs no quoting anywhere.
func newPassword() string { return rand.Text() + rand.Text() }

// ensureSecret reads a Secret that is made once, or makes it. It can't be edited
// afterwards, and belongs to nobody, so that an uninstall leaves it.
func ensureSecret(ctx context.Context, c client.Client, namespace, name string, content func() map[string][]byte) (*corev1.Secret, error) {
	s := &corev1.Secret{}
	key := client.ObjectKey{Namespace: namespace, Name: name}
	err := c.Get(ctx, key, s)
	if !apierrors.IsNotFound(err) {
		if err != nil {
			return nil, fmt.Errorf("reading the Secret %s: %w", key, err)
		}
		return s, nil
	}
	s = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{desired.LabelManagedBy: desired.ManagedBy}},
		Immutable:  new(true), Data: content(),
	}
	err = c.Create(ctx, s, client.FieldOwner(desired.FieldManager))
	if apierrors.IsAlreadyExists(err) {
		err = c.Get(ctx, key, s)
	}
	if err != nil {
		return nil, fmt.Errorf("making the Secret %s: %w", key, err)
	}
	return s, nil
}
