package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/open4x/socialops/runtime/provider"
)

// Authenticate finds the account with whose secret the raw body was signed. There
// is no falling back to the SHA-1 of X-Hub-Signature, and an account without a
// secret proves nothing.
func (Provider) Authenticate(r *provider.Request, proofs []provider.Proof) (provider.Proof, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	if !ok {
		return provider.Proof{}, false
	}
	signature, err := hex.DecodeString(text)
	if err != nil || len(signature) != sha256.Size {
		return provider.Proof{}, false
	}
	for _, proof := range proofs {
		for _, secret := range proof.Secrets {
			if len(secret) == 0 {
				continue
			}
			mac := hmac.New(sha256.New, secret)
			mac.Write(r.Body)
			if hmac.Equal(mac.Sum(nil), signature) {
				return proof, true
			}
		}
	}
	return provider.Proof{}, false
}
