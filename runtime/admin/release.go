package admin

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/open4x/socialops/runtime/project"
)

// ReleaseInstance lets whoever claims a retired alias next have it with its data.
func (a *Admin) ReleaseInstance(ctx context.Context, alias string) (Answer, error) {
	if err := project.Release(ctx, a.config, alias, time.Now()); err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	return Answer{map[string]any{"alias": alias, "released": true}, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "released %s: the next SocialOpsInstance that asks for this alias has it, with its data\n", alias)
	}}, nil
}
