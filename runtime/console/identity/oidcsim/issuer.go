// Package oidcsim is an OpenID Connect issuer for tests and demonstrations: whoever
// asks is who they say. It speaks what a browser's sign-in and a console's check of
// tokens need, and nothing more.
package oidcsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Options say what an issuer is like.
type Options struct {
	URL      string // as tokens have it; see [Issuer.SetURL]
	Audience string // of access tokens; default "socialops"
	Control  bool   // serve /control/, where anybody gets any token
	Now      func() time.Time
}

// lifetime is of access tokens, unless asked for another.
const lifetime = time.Hour

// Issuer is an issuer's state and its handler.
type Issuer struct {
	options Options
	mux     *http.ServeMux

	mu      sync.Mutex
	url     string
	keys    []jose.JSONWebKey // private; the last signs
	made    int               // keys ever
	grants  map[string]grant
	keyAsks int
	failing bool
}

// New makes an issuer with one ES256 key.
func New(o Options) *Issuer {
	if o.Audience == "" {
		o.Audience = "socialops"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	i := &Issuer{options: o, url: o.URL, mux: http.NewServeMux(), grants: map[string]grant{}}
	i.Rotate(jose.ES256, false)
	i.mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	i.mux.HandleFunc("GET /keys", i.keySet)
	i.addFlow()
	if o.Control {
		i.addControl()
	}
	return i
}

// ServeHTTP implements [http.Handler].
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	failing := i.failing
	i.mu.Unlock()
	if failing {
		http.Error(w, "away", http.StatusBadGateway)
		return
	}
	i.mux.ServeHTTP(w, r)
}

// SetURL tells the issuer its own address.
func (i *Issuer) SetURL(url string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.url = url
}

// SetAway has every call answered 502, or no more.
func (i *Issuer) SetAway(away bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failing = away
}

// KeyAsks counts the calls for the keys.
func (i *Issuer) KeyAsks() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keyAsks
}

// Rotate signs with a new key from now on. The old ones stay published if kept.
func (i *Issuer) Rotate(algorithm jose.SignatureAlgorithm, keepOld bool) {
	private := newKey(algorithm)
	i.mu.Lock()
	defer i.mu.Unlock()
	if !keepOld {
		i.keys = nil
	}
	i.made++
	i.keys = append(i.keys, jose.JSONWebKey{Key: private, KeyID: fmt.Sprintf("key-%d", i.made), Algorithm: string(algorithm), Use: "sig"})
}

func newKey(algorithm jose.SignatureAlgorithm) (key crypto.Signer) {
	var err error
	switch algorithm {
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		panic(err) // never: the random source aborts the program instead
	}
	return key
}

// Claims are an access token's of a subject, to be changed at will.
func (i *Issuer) Claims(subject string, permissions ...string) map[string]any {
	now := i.options.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	return map[string]any{
		"iss": i.url, "aud": i.options.Audience, "sub": subject, "name": subject, "permissions": permissions,
		"iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	}
}

// Sign makes a token of claims, with extra fields of the header.
func (i *Issuer) Sign(claims, header map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("writing the claims: %w", err)
	}
	return i.SignBytes(payload, header)
}

// SignBytes signs what may be no claims at all.
func (i *Issuer) SignBytes(payload []byte, header map[string]any) (string, error) {
	i.mu.Lock()
	key := i.keys[len(i.keys)-1]
	i.mu.Unlock()
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{jose.HeaderType: "at+jwt"}}
	for name, value := range header {
		options.ExtraHeaders[jose.HeaderKey(name)] = value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("making a signer: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed.CompactSerialize() //nolint:wrapcheck // never fails
}

// Published are the keys as everybody may see them.
func (i *Issuer) Published() jose.JSONWebKeySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range i.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	url := i.url
	i.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": url, "jwks_uri": url + "/keys",
		"authorization_endpoint": url + "/authorize", "token_endpoint": url + "/token", "end_session_endpoint": url + "/end",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{"authorization_code", "refresh_token"},
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
		"scopes_supported": []string{"openid", "profile", "offline_access"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (i *Issuer) keySet(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	i.keyAsks++
	i.mu.Unlock()
	writeJSON(w, http.StatusOK, i.Published())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Access-Control-Allow-Origin", "*") // pages of any address sign in here
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func merged(a, b map[string]any) map[string]any {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}
