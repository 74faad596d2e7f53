package controllers

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
)

// The keys of a part's Secret, beside what is the part's own.
const (
	keyPartURL       = "url"
	keyPartDirectURL = "direct-url"
)

// partLogin is the role in Postgres of a part that serves all instances, and the Secret
// that its pods read. Who deletes the Secret has the role's password replaced.
type partLogin struct {
	part   project.Part
	secret string            // its name, in the operator's namespace
	own    map[string][]byte // what it holds beside the database's URLs

	options   *Options
	live      client.Client
	projector *project.Projector // past the gate, which opens after this
	recorder  events.EventRecorder
}

// ensure makes the role and the Secret, and mends them. The Secret comes first: a
// password that nobody knows any more would have to be replaced.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch,namespace=own
func (l *partLogin) ensure(ctx context.Context) error {
	secret, err := l.read(ctx)
	if err != nil {
		return err
	}
	role := l.part.RoleName(l.projector.Install)
	password := passwordIn(secret, role)
	fresh := password == ""
	if fresh {
		password = newPassword()
	}
	data, err := l.content(role, password)
	if err != nil {
		return err
	}
	written, err := l.write(ctx, secret, data)
	if err != nil {
		return err
	}
	renew := fresh
	if !renew {
		direct := cmp.Or(string(data[keyPartDirectURL]), string(data[keyPartURL]))
		in, err := postgres.CanLogin(ctx, direct)
		renew = err == nil && !in
	}
	existed, err := l.projector.PartRole(ctx, l.part, password, renew)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if fresh && existed {
		tell(l.recorder, written, note{
			corev1.EventTypeNormal, eventRoleReplaced, actionReconcile,
			fmt.Sprintf("the Secret had no login of the %s: its database role has a new password, and the old one ends; what connects from now on uses it", l.part),
		})
	}
	return nil
}

// read finds the Secret, nil when there is none.
func (l *partLogin) read(ctx context.Context) (*corev1.Secret, error) {
	s := &corev1.Secret{}
	err := l.live.Get(ctx, client.ObjectKey{Namespace: l.options.Namespace, Name: l.secret}, s)
	if apierrors.IsNotFound(err) || err == nil && s.DeletionTimestamp != nil {
		return nil, nil //nolint:nilnil // none
	}
	if err != nil {
		return nil, fmt.Errorf("reading the %s's Secret: %w", l.part, err)
	}
	return s, nil
}

// passwordIn is the role's password in a Secret, "" when it holds none.
func passwordIn(s *corev1.Secret, role string) string {
	if s == nil {
		return ""
	}
	user, password, err := postgres.LoginOf(string(s.Data[keyPartURL]))
	if err != nil || user != role || !validPassword(password) {
		return ""
	}
	return password
}

func (l *partLogin) content(role, password string) (map[string][]byte, error) {
	data := maps.Clone(l.own)
	for key, at := range map[string]string{keyPartURL: l.options.DatabaseURL, keyPartDirectURL: l.options.DirectURL} {
		if at == "" {
			continue
		}
		u, err := postgres.URLAs(at, role, password)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what to do
		}
		data[key] = []byte(u)
	}
	return data, nil
}

// write makes the Secret hold data, and nothing else.
func (l *partLogin) write(ctx context.Context, was *corev1.Secret, data map[string][]byte) (*corev1.Secret, error) {
	labels := map[string]string{desired.LabelManagedBy: desired.ManagedBy}
	if was == nil {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.options.Namespace, Name: l.secret, Labels: labels}, Data: data}
		if err := l.live.Create(ctx, s, client.FieldOwner(desired.FieldManager)); err != nil {
			return nil, fmt.Errorf("making the %s's Secret: %w", l.part, err)
		}
		return s, nil
	}
	if maps.EqualFunc(was.Data, data, bytes.Equal) {
		return was, nil
	}
	s := was.DeepCopy()
	s.Data = data
	if err := l.live.Patch(ctx, s, client.MergeFrom(was), client.FieldOwner(desired.FieldManager)); err != nil {
		return nil, fmt.Errorf("mending the %s's Secret: %w", l.part, err)
	}
	return s, nil
}
