package controllers

import (
	"testing"

	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(kubetest.With(m, kubetest.Options{GatewayAPI: true})) }
