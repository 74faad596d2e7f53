package controllers

import "context"

// purgeOnce removes the data of instances that were deleted, and has those looked at
// that wait for their aliases.
func (p *platform) purgeOnce(ctx context.Context) error {
	aliases, err := p.Projector.Purge(ctx)
	for _, alias := range aliases {
		p.options.Log.InfoContext(ctx, "the data of a deleted inbox is removed", "alias", alias)
		if p.hooks.EnqueueAlias != nil {
			p.hooks.EnqueueAlias(alias)
		}
	}
	return err //nolint:wrapcheck // says what it was doing
}
