package controllers

import (
	"log/slog"
	"testing"

	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) {
	SetGlobalLogger(slog.New(slog.DiscardHandler))
	pgtest.Main(kubetest.With(m, kubetest.Options{GatewayAPI: true}))
}
