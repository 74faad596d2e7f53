package privatepg

import (
	"os"
	"testing"
)

func TestEphemeralIsRemoved(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{Ephemeral: true, Log: func(m string) { t.Log(m) }})
	if err != nil {
		t.Fatal(err)
	}
	data := s.DataDir()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Fatalf("stat %s: %v, want it gone", data, err)
	}
}
