package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those with a key pair. With any other a public key, or none, would
// do to sign.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

const (
	maxKeys    = 100
	minRSABits = 2048
)

// parseKeys reads a key set and leaves out what signs no token.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("reading the issuer's keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the issuer has %d keys: more than %d can't be meant", len(set.Keys), maxKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil || key.Use != "" && key.Use != "sig" {
			continue // of a kind that is not known here, which is no reason to do without the others
		}
		if signs(key.Key) {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil, errors.New("the issuer publishes no key that signs tokens: want RSA of 2048 bits or more, EC or Ed25519")
	}
	return keys, nil
}

// signs tells whether a key is the public one of a pair, and strong enough.
func signs(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	default:
		return false
	}
}

// parseSigned reads a token without checking anything of it but its form and what it
// says that it was signed with.
func parseSigned(token string) (*jose.JSONWebSignature, error) {
	if len(token) > maxToken {
		return nil, refusef(nil, "it is longer than %d bytes", maxToken)
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, refusef(err, "it is no JWT that was signed with a private key (RS, PS, ES or EdDSA)")
	}
	typ, _ := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType].(string)
	if !isAccessType(typ) {
		return nil, refusef(nil, "it is made for something else (typ)")
	}
	return signed, nil
}

// verifyWith is what was signed, nil when no key fits. A key that says for which
// algorithm it is serves no other.
func verifyWith(signed *jose.JSONWebSignature, keys []jose.JSONWebKey) []byte {
	header := signed.Signatures[0].Header
	for i := range keys {
		key := &keys[i]
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload
		}
	}
	return nil
}
