// Package seal encrypts what is kept of provider credentials, so that a copy of
// the database alone gives none away. A sealed text is bound to where it belongs
// (its additional data): moved to another row or field it does not open.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// KeySize is the length of a key, in bytes.
const KeySize = 32

// Key seals and opens with AES-256-GCM.
type Key struct {
	id   string
	aead cipher.AEAD
	mac  []byte
}

// NewKey makes a Key of 32 secret bytes.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("an encryption key has %d bytes, this has %d", KeySize, len(secret))
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("making the cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making the cipher mode: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "socialops fingerprint", KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the fingerprint key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("socialops key id\x00"), secret...))
	return &Key{id: hex.EncodeToString(sum[:6]), aead: aead, mac: mac}, nil
}

// Generate makes the secret bytes of a new key.
func Generate() []byte {
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret) // never fails: it aborts the program instead
	return secret
}

// ID names the key beside what it sealed, so that keys can rotate. It tells nothing of the key.
func (k *Key) ID() string { return k.id }

// Seal encrypts a text for one place, such as "account/<id>/credential".
func (k *Key) Seal(plain []byte, place string) []byte {
	return k.aead.Seal(nil, nil, plain, []byte(place))
}

// ErrSealed means that a text does not open: another key sealed it, it belongs to
// another place, or it was changed.
var ErrSealed = errors.New("the sealed text does not open with this key in this place")

// Open decrypts what Seal made for the same place.
func (k *Key) Open(sealed []byte, place string) ([]byte, error) {
	plain, err := k.aead.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Fingerprint tells whether two secrets are the same without keeping either.
func (k *Key) Fingerprint(secret []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(secret)
	return h.Sum(nil)
}
