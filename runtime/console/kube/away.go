package kube

import (
	"context"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
)

// Away stands in for an API server that can't be asked, and says so each time.
func Away(reason error) console.Bindings { return away{reason} }

type away struct{ reason error }

func (a away) failed() error {
	return failure(inbox.CodeUnavailable, a.reason, "channels can't be looked after, as this console has no way to the cluster's API server: ask whoever installed it")
}

func (a away) List(context.Context, string, string) ([]v1alpha1.ChannelBinding, error) {
	return nil, a.failed()
}

func (a away) Create(context.Context, *v1alpha1.ChannelBinding) error { return a.failed() }

func (a away) Update(context.Context, string, string, func(*v1alpha1.ChannelBindingSpec), string) (*v1alpha1.ChannelBinding, error) {
	return nil, a.failed()
}
