package controllers

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/desired"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/project"
)

// The keys of the worker's Secret, beside keyEncryptionKey.
const (
	keyWorkerURL       = "url"
	keyWorkerDirectURL = "direct-url"
)

// workerLogin is the worker's role in Postgres and the Secret that its pods read. Who
// deletes the Secret has the role's password replaced.
type workerLogin struct {
	options   *Options
	live      client.Client
	key       []byte             // that credentials are sealed with
	projector *project.Projector // past the gate, which opens after this
	recorder  events.EventRecorder

	changed chan struct{}    // holds one: the Secret is not as it was
	retry   <-chan time.Time // tells when to mend what failed; nil: nothing did
	failing bool
}

// addTo has the manager tell of changes of the Secret.
func (w *workerLogin) addTo(mgr ctrl.Manager) error {
	w.recorder = mgr.GetEventRecorder(reporter)
	w.changed = make(chan struct{}, 1)
	own, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), DefaultTransform: slim,
		DefaultNamespaces: map[string]cache.Config{w.options.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", w.options.WorkerSecret)}},
	})
	if err != nil {
		return fmt.Errorf("making a cache: %w", err)
	}
	if err := mgr.Add(standby{own}); err != nil {
		return fmt.Errorf("adding a cache: %w", err)
	}
	return mgr.Add(leading(func(ctx context.Context) error { //nolint:wrapcheck // hardly ever
		// Only once this process leads and runs, as the operator must start without it, too.
		informer, err := own.GetInformer(ctx, metadataOf(kindSecret), cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching the worker's Secret: %w", err)
		}
		note := func() {
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			UpdateFunc: func(any, any) { note() },
			DeleteFunc: func(any) { note() },
		})
		if err != nil {
			return fmt.Errorf("watching the worker's Secret: %w", err)
		}
		<-ctx.Done()
		return nil
	}))
}

// mend is ensure for when the Secret changed, or it failed before.
func (w *workerLogin) mend(ctx context.Context) { w.conclude(ctx, w.ensure(ctx)) }

// conclude has ensure called again after a failure, and logs the first of a row.
func (w *workerLogin) conclude(ctx context.Context, err error) {
	w.retry = nil
	if err == nil || ctx.Err() != nil {
		w.failing = false
		return
	}
	w.retry = time.After(loginRetry)
	if !w.failing {
		w.failing = true
		w.options.Log.WarnContext(ctx, "the worker's login could not be set up; trying again", "error", err)
	}
}

// ensure makes the role and the Secret, and mends them. The Secret comes first: a
// password that nobody knows any more would have to be replaced.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch,namespace=own
func (w *workerLogin) ensure(ctx context.Context) error {
	secret, err := w.read(ctx)
	if err != nil {
		return err
	}
	role := project.WorkerRoleName(w.projector.Install)
	password := w.passwordIn(secret, role)
	fresh := password == ""
	if fresh {
		password = newPassword()
	}
	data, err := w.content(role, password)
	if err != nil {
		return err
	}
	written, err := w.write(ctx, secret, data)
	if err != nil {
		return err
	}
	renew := fresh
	if !renew {
		direct := cmp.Or(string(data[keyWorkerDirectURL]), string(data[keyWorkerURL]))
		in, err := postgres.CanLogin(ctx, direct)
		renew = err == nil && !in
	}
	existed, err := w.projector.WorkerRole(ctx, password, renew)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if fresh && existed {
		tell(w.recorder, written, note{
			corev1.EventTypeNormal, eventRoleReplaced, actionReconcile,
			"the Secret had no login of the worker: its database role has a new password, and the old one ends; workers that start from now on use it",
		})
	}
	return nil
}

// read finds the Secret, nil when there is none.
func (w *workerLogin) read(ctx context.Context) (*corev1.Secret, error) {
	s := &corev1.Secret{}
	err := w.live.Get(ctx, client.ObjectKey{Namespace: w.options.Namespace, Name: w.options.WorkerSecret}, s)
	if apierrors.IsNotFound(err) || err == nil && s.DeletionTimestamp != nil {
		return nil, nil //nolint:nilnil // none
	}
	if err != nil {
		return nil, fmt.Errorf("reading the worker's Secret: %w", err)
	}
	return s, nil
}

// passwordIn is the role's password in a Secret, "" when it holds none.
func (w *workerLogin) passwordIn(s *corev1.Secret, role string) string {
	if s == nil {
		return ""
	}
	user, password, err := postgres.LoginOf(string(s.Data[keyWorkerURL]))
	if err != nil || user != role || !validPassword(password) {
		return ""
	}
	return password
}

func (w *workerLogin) content(role, password string) (map[string][]byte, error) {
	data := map[string][]byte{keyEncryptionKey: w.key}
	for key, at := range map[string]string{keyWorkerURL: w.options.DatabaseURL, keyWorkerDirectURL: w.options.DirectURL} {
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
func (w *workerLogin) write(ctx context.Context, was *corev1.Secret, data map[string][]byte) (*corev1.Secret, error) {
	labels := map[string]string{desired.LabelManagedBy: desired.ManagedBy}
	if was == nil {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.options.Namespace, Name: w.options.WorkerSecret, Labels: labels}, Data: data}
		if err := w.live.Create(ctx, s, client.FieldOwner(desired.FieldManager)); err != nil {
			return nil, fmt.Errorf("making the worker's Secret: %w", err)
		}
		return s, nil
	}
	if maps.EqualFunc(was.Data, data, bytes.Equal) {
		return was, nil
	}
	s := was.DeepCopy()
	s.Data = data
	if err := w.live.Patch(ctx, s, client.MergeFrom(was), client.FieldOwner(desired.FieldManager)); err != nil {
		return nil, fmt.Errorf("mending the worker's Secret: %w", err)
	}
	return s, nil
}
