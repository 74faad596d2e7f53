package dev

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsAreMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func() (key []byte, install [16]byte) {
		t.Helper()
		s, err := openSecrets(dir)
		if err != nil {
			t.Fatal(err)
		}
		if key, err = s.encryptionKey(); err != nil {
			t.Fatal(err)
		}
		if install, err = s.installID(); err != nil {
			t.Fatal(err)
		}
		return key, install
	}
	key, install := read()
	again, sameInstall := read()
	if len(key) != 32 || !bytes.Equal(key, again) || install != sameInstall || install == [16]byte{} {
		t.Error("a secret is not what it was before")
	}
	entries, err := os.ReadDir(filepath.Join(dir, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if len(entries) != 2 {
		t.Errorf("%d files, want 2: nothing is left of how they were written", len(entries))
	}
}

func TestDamagedSecretsAreTold(t *testing.T) {
	t.Parallel()
	s, err := openSecrets(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "install-id"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.installID(); err == nil || !strings.Contains(err.Error(), "is damaged: it has 5 bytes, not 16") {
		t.Errorf("a short install id: %v", err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "encryption-key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.encryptionKey(); err == nil {
		t.Error("a folder passed for a key")
	}
}
