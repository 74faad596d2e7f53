package controllers

import (
	"log/slog"
	"testing"

	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) {
	libraryLogger(slog.New(slog.DiscardHandler)) // the global one, which tests in parallel would set while others log
	pgtest.Main(kubetest.With(m, kubetest.Options{GatewayAPI: true}))
}
