package dev

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/seal"
)

// secrets are the random values that a cluster keeps in Secrets and the dev mode
// in DIR/secrets: made once, readable by their owner alone.
type secrets struct{ dir string }

func openSecrets(dir string) (*secrets, error) {
	s := &secrets{dir: filepath.Join(dir, "secrets")}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of secrets: %w", err)
	}
	return s, nil
}

// installID tells this data folder's objects from any other install's.
func (s *secrets) installID() (id [16]byte, err error) {
	b, err := s.once("install-id", func() []byte {
		b := make([]byte, 16)
		_, _ = rand.Read(b) // never fails: it aborts the program instead
		return b
	})
	if err != nil {
		return id, err
	}
	if len(b) != len(id) {
		return id, fmt.Errorf("%s is damaged: it has %d bytes, not %d", filepath.Join(s.dir, "install-id"), len(b), len(id))
	}
	return [16]byte(b), nil
}

// encryptionKey seals provider credentials; the worker and the projection hold it.
func (s *secrets) encryptionKey() ([]byte, error) { return s.once("encryption-key", seal.Generate) }

// consoleKey signs the tokens of those who sign in to the console.
func (s *secrets) consoleKey() ([]byte, error) { return s.once("console-key", identity.NewLocalKey) }

// once reads a secret, or makes it. It is written beside its place and moved
// there, so that a kill leaves all of it or none.
func (s *secrets) once(name string, make func() []byte) ([]byte, error) {
	path := filepath.Join(s.dir, name)
	b, err := os.ReadFile(path)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading a secret: %w", err)
	}
	b = make()
	if err := writePrivate(path, b); err != nil {
		return nil, err
	}
	return b, nil
}

// writePrivate writes a file that only its owner may read, durably and whole.
func writePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
