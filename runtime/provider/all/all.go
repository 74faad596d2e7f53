// Package all is the list of providers in the binary. A new one is its package
// and a line here.
package all

import (
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/provider/github"
	"github.com/open4x/socialops/runtime/provider/telegram"
)

// Options are those of the providers that have any. The zero value is what runs
// in production.
type Options struct {
	Telegram telegram.Options
}

// Providers makes every provider.
func Providers(o Options) provider.Registry {
	return provider.NewRegistry(
		generic.New(),
		github.New(),
		telegram.New(o.Telegram),
	)
}
