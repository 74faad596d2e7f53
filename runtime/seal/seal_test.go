package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/open4x/socialops/runtime/seal"
)

func key(t *testing.T) *seal.Key {
	t.Helper()
	k, err := seal.NewKey(seal.Generate())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedTextOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	k, other := key(t), key(t)
	sealed := k.Seal([]byte("token"), "account/1/credential")
	if got, err := k.Open(sealed, "account/1/credential"); err != nil || string(got) != "token" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"another place": func() ([]byte, error) { return k.Open(sealed, "account/2/credential") },
		"another key":   func() ([]byte, error) { return other.Open(sealed, "account/1/credential") },
		"changed":       func() ([]byte, error) { return k.Open(changed, "account/1/credential") },
		"cut":           func() ([]byte, error) { return k.Open(sealed[:5], "account/1/credential") },
	} {
		if got, err := try(); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: Open = %q, %v; want ErrSealed", name, got, err)
		}
	}
	if bytes.Equal(sealed, k.Seal([]byte("token"), "account/1/credential")) {
		t.Error("sealing twice gave the same text: the nonce is not random")
	}
}

func TestFingerprintDependsOnKeyAndSecret(t *testing.T) {
	t.Parallel()
	k, other := key(t), key(t)
	if !bytes.Equal(k.Fingerprint([]byte("a")), k.Fingerprint([]byte("a"))) {
		t.Error("the same secret has two fingerprints")
	}
	if bytes.Equal(k.Fingerprint([]byte("a")), k.Fingerprint([]byte("b"))) || bytes.Equal(k.Fingerprint([]byte("a")), other.Fingerprint([]byte("a"))) {
		t.Error("different secrets or keys share a fingerprint")
	}
	if k.ID() == other.ID() {
		t.Error("two keys share an id")
	}
}

func TestKeyLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := seal.NewKey(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
