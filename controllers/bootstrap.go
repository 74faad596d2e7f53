package controllers

import (
	"context"
	"log/slog"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
)

// bootstrap brings the database into use once this process leads: its schema, the
// worker's and the console's login, then the gate. It watches over it from then on, and does all of it
// again when it was away, as what comes back may be another, empty one.
type bootstrap struct {
	platform *platform
	store    *postgres.Configuration // past the gate
	log      *slog.Logger
	said     string // why it is not in use, as the log was told
}

// How often is tried what failed, and looked at what works.
const (
	bringUpLimit = 10 * time.Second
	lookEvery    = 30 * time.Second
	lookPatience = 5 * time.Second
	loginRetry   = 10 * time.Second
)

func (b *bootstrap) run(ctx context.Context) error {
	for tries := 1; ; tries++ {
		err := b.bringUp(ctx)
		if err == nil {
			b.tell(ctx, nil)
			b.platform.gate.open()
			b.platform.cameIntoUse(ctx)
			err, tries = b.watch(ctx), 1
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the process ends
		}
		b.tell(ctx, err)
		b.platform.gate.close(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff(tries, bringUpLimit)):
		}
	}
}

// bringUp makes of a database one that can be used.
func (b *bootstrap) bringUp(ctx context.Context) error {
	if err := b.look(ctx); err != nil && inbox.CodeOf(err) != inbox.CodeConflict { // which a migration mends
		return err
	}
	o := b.platform.options
	direct := o.DirectURL
	if direct == "" {
		direct = o.DatabaseURL
	}
	if err := postgres.Migrate(ctx, direct, b.log); err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if err := b.look(ctx); err != nil {
		return err
	}
	err := b.platform.logins.ensure(ctx)
	if inbox.CodeOf(err) != "" {
		return err
	}
	b.platform.logins.conclude(ctx, err) // a matter of the API server's, which instances need not wait for
	return nil
}

// look tells whether the database answers and has the right schema.
func (b *bootstrap) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	return b.store.Check(ctx) //nolint:wrapcheck // says what to do
}

// watch returns why the database is not in use any more.
func (b *bootstrap) watch(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.platform.gate.doubts:
		case <-tick.C:
		case <-b.platform.logins.changed:
			b.platform.logins.mend(ctx)
			continue
		case <-b.platform.logins.retry:
			b.platform.logins.mend(ctx)
			continue
		}
		if err := b.look(ctx); err != nil {
			return err
		}
	}
}

// tell logs that the database came into use, and why it is not, each once.
func (b *bootstrap) tell(ctx context.Context, err error) {
	switch {
	case err == nil:
		b.log.InfoContext(ctx, "the database is in use")
		b.said = ""
	case ctx.Err() == nil && messageOf(err) != b.said:
		b.log.WarnContext(ctx, "the database is not in use", "error", err)
		b.said = messageOf(err)
	}
}
