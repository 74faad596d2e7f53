package runtime_test

import (
	"testing"

	"github.com/open4x/socialops/runtime/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
