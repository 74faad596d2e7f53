package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
)

// partLogins has the parts' logins made and mended.
type partLogins struct {
	all       []*partLogin
	closed    []project.Part // that this install has not, or no more
	options   *Options
	projector *project.Projector // past the gate

	changed chan struct{}    // holds one: a Secret is not as it was
	retry   <-chan time.Time // tells when to mend what failed; nil: nothing did
	failing bool
}

// newPartLogins are the worker's, and the console's if there is one.
func newPartLogins(c client.Client, o *Options, in install, projector *project.Projector) *partLogins {
	login := func(part project.Part, secret string, own map[string][]byte) *partLogin {
		return &partLogin{part: part, secret: secret, own: own, options: o, live: c, projector: projector}
	}
	l := &partLogins{options: o, projector: projector, all: []*partLogin{
		login(project.Worker, o.WorkerSecret, map[string][]byte{keyEncryptionKey: in.encryptionKey}),
	}}
	if o.ConsoleSecret == "" {
		l.closed = append(l.closed, project.Console)
		return l
	}
	// The id is what channels' ids are made of.
	l.all = append(l.all, login(project.Console, o.ConsoleSecret, map[string][]byte{keyInstallID: in.id[:]}))
	return l
}

// addTo has the manager tell of changes of the Secrets.
func (l *partLogins) addTo(mgr ctrl.Manager) error {
	l.changed = make(chan struct{}, 1)
	recorder := mgr.GetEventRecorder(reporter)
	for _, login := range l.all {
		login.recorder = recorder
		if err := l.watch(mgr, login); err != nil {
			return err
		}
	}
	return nil
}

// watch notes changes of one Secret, in a cache that holds no other.
func (l *partLogins) watch(mgr ctrl.Manager, login *partLogin) error {
	own, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), DefaultTransform: slim,
		DefaultNamespaces: map[string]cache.Config{l.options.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", login.secret)}},
	})
	if err != nil {
		return fmt.Errorf("making a cache: %w", err)
	}
	if err := mgr.Add(standby{own}); err != nil {
		return fmt.Errorf("adding a cache: %w", err)
	}
	return mgr.Add(leading(func(ctx context.Context) error { //nolint:wrapcheck // fails only once the manager has stopped
		// Only once this process leads and runs, as the operator must start without it, too.
		informer, err := own.GetInformer(ctx, metadataOf(kindSecret), cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching the %s's Secret: %w", login.part, err)
		}
		note := func() {
			select {
			case l.changed <- struct{}{}:
			default:
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			UpdateFunc: func(any, any) { note() },
			DeleteFunc: func(any) { note() },
		})
		if err != nil {
			return fmt.Errorf("watching the %s's Secret: %w", login.part, err)
		}
		<-ctx.Done()
		return nil
	}))
}

// ensure makes and mends each login. What the database refuses ends it, as it would
// refuse the others, too.
func (l *partLogins) ensure(ctx context.Context) error {
	var failed []error
	for _, login := range l.all {
		err := login.ensure(ctx)
		if inbox.CodeOf(err) != "" {
			return err
		}
		failed = append(failed, err)
	}
	for _, part := range l.closed {
		if err := l.projector.ClosePart(ctx, part); err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
	}
	return errors.Join(failed...)
}

// mend is ensure for when a Secret changed, or it failed before.
func (l *partLogins) mend(ctx context.Context) { l.conclude(ctx, l.ensure(ctx)) }

// conclude has ensure called again after a failure, and logs the first of a row.
func (l *partLogins) conclude(ctx context.Context, err error) {
	l.retry = nil
	if err == nil || ctx.Err() != nil {
		l.failing = false
		return
	}
	l.retry = time.After(loginRetry)
	if !l.failing {
		l.failing = true
		l.options.Log.WarnContext(ctx, "the logins of worker and console could not be set up; trying again", "error", err)
	}
}
