package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/console/identity"
	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.Now()
	for name, claims := range map[string]map[string]any{
		"as it is":                       {},
		"one of several audiences":       {"aud": []string{"other", "socialops"}},
		"ended 59 s ago, by our clock":   {"exp": now.Add(-59 * time.Second).Unix()},
		"begins in 59 s, by our clock":   {"nbf": now.Add(59 * time.Second).Unix()},
		"with a time that is a fraction": {"nbf": float64(now.Unix()) - 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := mustVerify(t, w, w.token(t, claims))
			if u.Subject != "alice" || u.Name != "alice" || !cmp.Equal(u.Permissions, []string{read, manage}) || u.Expires.IsZero() {
				t.Errorf("the user is %+v", u)
			}
		})
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.RS512, jose.ES256, jose.ES384, jose.EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(_ *identity.OIDC, i *oidcsim.Issuer) { i.Rotate(algorithm, false) })
			mustVerify(t, w, w.token(t, nil))
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.clock.Now()
	kid := w.issuer.Published().Keys[0].KeyID
	public, err := x509.MarshalPKIXPublicKey(w.issuer.Published().Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := w.token(t, nil)
	parts := strings.Split(good, ".")
	nothing := func([]byte) []byte { return nil }

	for name, c := range map[string]struct{ token, says string }{
		"of another audience":          {w.token(t, map[string]any{"aud": "other"}), `not for the audience "socialops"`},
		"of other audiences":           {w.token(t, map[string]any{"aud": []string{"a", "socialops2"}}), "audience"},
		"of no audience":               {w.token(t, map[string]any{"aud": nil}), "audience"},
		"audience in another case":     {w.token(t, map[string]any{"aud": nil, "AUD": "socialops"}), "audience"},
		"of another issuer":            {w.token(t, map[string]any{"iss": "https://evil.example.com"}), "issuer (iss)"},
		"issuer with a slash more":     {w.token(t, map[string]any{"iss": w.url + "/"}), "issuer (iss)"},
		"of no issuer":                 {w.token(t, map[string]any{"iss": nil}), "issuer (iss)"},
		"expired 60 s ago":             {w.token(t, map[string]any{"exp": now.Add(-60 * time.Second).Unix()}), "expired"},
		"without an end":               {w.token(t, map[string]any{"exp": nil}), "until when"},
		"whose end is a text":          {w.token(t, map[string]any{"exp": "2100-01-01"}), "until when"},
		"whose end is null":            {w.signed(t, map[string]any{"exp": (*int)(nil)}, nil), "until when"},
		"whose end is beyond time":     {w.token(t, map[string]any{"exp": 1e300}), "until when"},
		"valid in 61 s":                {w.token(t, map[string]any{"nbf": now.Add(61 * time.Second).Unix()}), "not valid yet"},
		"whose beginning is a text":    {w.token(t, map[string]any{"nbf": "now"}), "beginning"},
		"of nobody":                    {w.token(t, map[string]any{"sub": nil}), "no subject"},
		"of an empty subject":          {w.token(t, map[string]any{"sub": ""}), "no subject"},
		"of a number":                  {w.token(t, map[string]any{"sub": 7}), "no subject"},
		"subject in another case":      {w.token(t, map[string]any{"sub": nil, "Sub": "alice"}), "no subject"},
		"of a long subject":            {w.token(t, map[string]any{"sub": strings.Repeat("a", 256)}), "longer than 255"},
		"subject on two lines":         {w.token(t, map[string]any{"sub": "alice\nroot"}), "one line"},
		"subject with blanks around":   {w.token(t, map[string]any{"sub": "alice "}), "blanks around"},
		"subject that is no UTF-8":     {w.token(t, map[string]any{"sub": "a\xff"}), "one line"},
		"made for logging out":         {w.signed(t, nil, map[string]any{"typ": "logout+jwt"}), "something else"},
		"too long":                     {w.token(t, map[string]any{"filler": strings.Repeat("a", 16<<10)}), "longer than"},
		"unsigned":                     {w.forged(t, map[string]any{"alg": "none"}, nothing), "no JWT"},
		"unsigned, in capitals":        {w.forged(t, map[string]any{"alg": "NONE", "kid": kid}, nothing), "no JWT"},
		"without an algorithm":         {w.forged(t, map[string]any{"kid": kid}, nothing), "no JWT"},
		"HS256 with the public key":    {w.forged(t, map[string]any{"alg": "HS256", "kid": kid}, macWith(public)), "no JWT"},
		"HS256 with its PEM":           {w.forged(t, map[string]any{"alg": "HS256", "kid": kid}, macWith(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))), "no JWT"},
		"RS256 with an EC key's id":    {w.forged(t, map[string]any{"alg": "RS256", "kid": kid}, signWith(t, rsaKey)), "no key"},
		"signed by another":            {w.forged(t, map[string]any{"alg": "ES256", "kid": kid}, nothing), "no key"},
		"with a key of its own":        {w.forged(t, map[string]any{"alg": "RS256", "jwk": jose.JSONWebKey{Key: rsaKey.Public()}}, signWith(t, rsaKey)), "no key"},
		"with a key from elsewhere":    {w.forged(t, map[string]any{"alg": "RS256", "jku": "https://evil.example.com/keys", "kid": "evil"}, signWith(t, rsaKey)), "no key"},
		"of an unknown key":            {w.signedBy(t, mine, "evil"), "no key"},
		"of another key, without id":   {w.signedBy(t, mine, ""), "no key"},
		"with a demand not known":      {w.signed(t, nil, map[string]any{"crit": []string{"exp2"}, "exp2": 1}), "no"},
		"claims of another":            {parts[0] + "." + part(t, w.issuer.Claims("root", manage)) + "." + parts[2], "no key"},
		"cut":                          {good[:len(good)-10], "no"},
		"in two parts":                 {parts[0] + "." + parts[1], "no JWT"},
		"empty":                        {"", "no JWT"},
		"no token at all":              {"let me in", "no JWT"},
		"an API key":                   {"sk_0123456789abcdef", "no JWT"},
		"in JSON instead of compact":   {fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]), "no JWT"},
		"with a claim set of an array": {w.payload(t, `["alice"]`), "no JSON object"},
		"with null for claims":         {w.payload(t, `null`), "no JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustFail(t, w, c.token, inbox.CodeUnproven, c.says)
		})
	}
}

// signedBy is alice's token with another key's signature.
func (w *world) signedBy(t *testing.T, key *ecdsa.PrivateKey, kid string) string {
	t.Helper()
	return sign(t, jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: "ES256"}, []byte(mustJSON(t, w.issuer.Claims("alice", manage))))
}

// payload is the issuer's own signature under any bytes.
func (w *world) payload(t *testing.T, payload string) string {
	t.Helper()
	token, err := w.issuer.SignBytes([]byte(payload), nil)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.token(t, nil)
	mustVerify(t, w, old)
	w.clock.advance(time.Minute)
	w.issuer.Rotate(jose.RS256, true)
	mustVerify(t, w, w.token(t, nil))
	mustVerify(t, w, old)
}

// TestWithdrawnKey: a key that the issuer publishes no more is accepted for ten minutes.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := oidcsim.New(oidcsim.Options{URL: "https://login.example.com"})
		w := &world{issuer: issuer, Verifier: run(t, offline(issuer))}
		old := w.token(t, nil)
		mustVerify(t, w, old)
		issuer.Rotate(jose.ES256, false)
		mustVerify(t, w, old)
		time.Sleep(11 * time.Minute)
		mustFail(t, w, old, inbox.CodeUnproven, "no key")
		mustVerify(t, w, w.token(t, nil))
	})
}

// TestAwayForLong: known keys serve while the issuer is away, but not for ever.
func TestAwayForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := oidcsim.New(oidcsim.Options{URL: "https://login.example.com"})
		w := &world{issuer: issuer, Verifier: run(t, offline(issuer))}
		token := w.token(t, map[string]any{"exp": time.Now().Add(72 * time.Hour).Unix()})
		mustVerify(t, w, token)
		issuer.SetAway(true)
		time.Sleep(23 * time.Hour)
		mustVerify(t, w, token)
		time.Sleep(2 * time.Hour)
		mustFail(t, w, token, inbox.CodeUnavailable, "can't be reached")
		issuer.SetAway(false)
		time.Sleep(11 * time.Second)
		mustVerify(t, w, token)
	})
}

// offline is of an issuer whom no network leads to, so that time can be made up.
func offline(i *oidcsim.Issuer) identity.OIDC {
	return identity.OIDC{
		Issuer: "https://login.example.com", Audience: "socialops", PermissionsClaim: "permissions", Log: silent,
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			i.ServeHTTP(w, r)
			return w.Result(), nil
		})},
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAwayThenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *identity.OIDC, i *oidcsim.Issuer) { i.SetAway(true) })
	token := w.token(t, nil)
	mustFail(t, w, token, inbox.CodeUnavailable, "can't be reached")
	mustFail(t, w, "nonsense", inbox.CodeUnproven, "no JWT")
	w.issuer.SetAway(false)
	mustFail(t, w, token, inbox.CodeUnavailable, "can't be reached") // the pause is not over
	w.clock.advance(10 * time.Second)
	mustVerify(t, w, token)
}

func TestFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.token(t, nil)
	mustVerify(t, w, good)
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if asks := w.issuer.KeyAsks(); asks != 1 {
		t.Fatalf("the keys were asked for %d times by the first token, not once", asks)
	}
	w.clock.advance(10 * time.Second)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if _, err := w.Verify(t.Context(), w.signedBy(t, mine, fmt.Sprint("evil-", i))); inbox.CodeOf(err) != inbox.CodeUnproven {
				t.Errorf("not refused: %v", err)
			}
		})
	}
	all.Wait()
	if asks := w.issuer.KeyAsks(); asks != 2 {
		t.Errorf("a hundred unknown keys at once had the issuer asked %d times, not once", asks-1)
	}
	mustVerify(t, w, good)
}

func TestManyAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := w.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if asks := w.issuer.KeyAsks(); asks != 1 {
		t.Errorf("50 tokens at once had the issuer asked %d times, not once", asks)
	}
}

// TestBadIssuers: what an issuer answers is no reason to trust it.
func TestBadIssuers(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	text := func(format string, args ...any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, format, args...)
		}
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("x", 5000), http.StatusInternalServerError)
	}
	keys := func(t *testing.T, keys ...jose.JSONWebKey) string { return mustJSON(t, jose.JSONWebKeySet{Keys: keys}) }
	for name, c := range map[string]struct {
		discovery, keys func(url string) http.HandlerFunc
		says            string
	}{
		"another's name": {discovery: func(url string) http.HandlerFunc { return text(`{"issuer":%q,"jwks_uri":%q}`, url+"/", url+"/keys") }, says: "did not match"},
		"keys without TLS": {discovery: func(url string) http.HandlerFunc {
			return text(`{"issuer":%q,"jwks_uri":"http://example.com/keys"}`, url)
		}, says: "want https"},
		"no keys' address": {discovery: func(url string) http.HandlerFunc { return text(`{"issuer":%q}`, url) }, says: "jwks_uri"},
		"led to no TLS": {discovery: func(string) http.HandlerFunc {
			return http.RedirectHandler("http://example.com/", http.StatusFound).ServeHTTP
		}, says: "want https"},
		"led round and round": {discovery: func(string) http.HandlerFunc {
			return http.RedirectHandler("/.well-known/openid-configuration", http.StatusFound).ServeHTTP
		}, says: "on and on"},
		"endless":      {discovery: func(string) http.HandlerFunc { return text("%s", strings.Repeat(" ", 2<<20)) }, says: "too large"},
		"endless keys": {keys: func(string) http.HandlerFunc { return text("%s", strings.Repeat(" ", 2<<20)) }, says: "too large"},
		"a page":       {discovery: func(string) http.HandlerFunc { return page }, says: "…"},
		"no keys":      {keys: func(string) http.HandlerFunc { return text(`{"keys":[]}`) }, says: "no key that signs"},
		"keys for nothing": {keys: func(string) http.HandlerFunc {
			return text("%s", keys(t, jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef")}))
		}, says: "no key that signs"},
		"a weak key":            {keys: func(string) http.HandlerFunc { return text("%s", keys(t, jose.JSONWebKey{Key: weak.Public()})) }, says: "no key that signs"},
		"keys that are no JSON": {keys: func(string) http.HandlerFunc { return text("oops") }, says: "reading the issuer's keys"},
		"keys not found":        {keys: func(string) http.HandlerFunc { return http.NotFound }, says: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := answers{}
			server := newServer(t, handler)
			handler["/.well-known/openid-configuration"] = text(`{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/keys")
			if c.discovery != nil {
				handler["/.well-known/openid-configuration"] = c.discovery(server.URL)
			}
			if c.keys != nil {
				handler["/keys"] = c.keys(server.URL)
			}
			v := run(t, identity.OIDC{Issuer: server.URL, Audience: "socialops", PermissionsClaim: "permissions", HTTPClient: server.Client(), Log: silent})
			token := sign(t, jose.JSONWebKey{Key: weak, Algorithm: "RS256"}, []byte("{}"))
			mustFail(t, v, token, inbox.CodeUnavailable, c.says)
		})
	}
}

// TestKeysOfOtherKinds: a key that can't be read is no reason to do without the others.
func TestKeysOfOtherKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := answers{}
	server := newServer(t, handler)
	w.issuer.SetURL(server.URL)
	handler["/.well-known/openid-configuration"] = w.issuer.ServeHTTP
	handler["/keys"] = func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, `{"keys":[{"kty":"OKP","crv":"X448","x":"AA"},{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"},{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"},%s]}`,
			mustJSON(t, w.issuer.Published().Keys[0]))
	}
	v := run(t, identity.OIDC{Issuer: server.URL, Audience: "socialops", PermissionsClaim: "permissions", HTTPClient: server.Client(), Log: silent, Now: w.clock.Now})
	mustVerify(t, v, w.token(t, nil))
}

func TestEncryptionKeySignsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := answers{}
	server := newServer(t, handler)
	w.issuer.SetURL(server.URL)
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	handler["/.well-known/openid-configuration"] = w.issuer.ServeHTTP
	handler["/keys"] = func(rw http.ResponseWriter, _ *http.Request) {
		set := w.issuer.Published()
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: mine.Public(), KeyID: "enc", Use: "enc"})
		fmt.Fprint(rw, mustJSON(t, set))
	}
	v := run(t, identity.OIDC{Issuer: server.URL, Audience: "socialops", PermissionsClaim: "permissions", HTTPClient: server.Client(), Log: silent, Now: w.clock.Now})
	mustVerify(t, v, w.token(t, nil))
	mustFail(t, v, w.signedBy(t, mine, "enc"), inbox.CodeUnproven, "no key")
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := identity.OIDC{Issuer: "https://login.example.com/realms/a", Audience: "socialops", PermissionsClaim: "permissions", Log: silent}
	if _, err := identity.NewOIDC(good); err != nil {
		t.Error(err)
	}
	for issuer, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost/a": true, "http://[::1]:1": true,
		"http://login.example.com": false, "http://127.0.0.1.example.com": false, "login.example.com": false, "": false,
		"https://user:secret@login.example.com": false, "ftp://login.example.com": false, "https://a/#b": false,
	} {
		o := good
		o.Issuer = issuer
		_, err := identity.NewOIDC(o)
		if (err == nil) != ok {
			t.Errorf("issuer %q: %v", issuer, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
	for _, change := range []func(*identity.OIDC){func(o *identity.OIDC) { o.Audience = "" }, func(o *identity.OIDC) { o.PermissionsClaim = "" }} {
		o := good
		change(&o)
		if _, err := identity.NewOIDC(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claim  string
		claims map[string]any
		want   []string
	}{
		"array":                       {"permissions", map[string]any{"permissions": []string{read, manage}}, []string{read, manage}},
		"text":                        {"scope", map[string]any{"scope": "openid " + read + "  " + manage}, []string{"openid", read, manage}},
		"nested":                      {"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []string{read}}}, []string{read}},
		"nested twice":                {"resource_access.socialops.roles", map[string]any{"resource_access": map[string]any{"socialops": map[string]any{"roles": []string{read}}}}, []string{read}},
		"nested, dots in names":       {"resource_access.my.app.roles", map[string]any{"resource_access": map[string]any{"my.app": map[string]any{"roles": []string{read}}}}, []string{read}},
		"named like a URL":            {"https://example.com/permissions", map[string]any{"https://example.com/permissions": []string{read}}, []string{read}},
		"missing":                     {"permissions", map[string]any{"permissions": nil}, nil},
		"null":                        {"permissions", map[string]any{"permissions": (*int)(nil)}, nil},
		"of another kind":             {"permissions", map[string]any{"permissions": 7}, nil},
		"an object":                   {"permissions", map[string]any{"permissions": map[string]any{read: true}}, nil},
		"with others among them":      {"permissions", map[string]any{"permissions": []any{1, read, nil, "", []string{manage}}}, []string{read}},
		"in another case":             {"permissions", map[string]any{"permissions": nil, "Permissions": []string{read}}, nil},
		"nested in what is no object": {"permissions.roles", map[string]any{"permissions": read}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *identity.OIDC, _ *oidcsim.Issuer) { o.PermissionsClaim = c.claim })
			u := mustVerify(t, w, w.token(t, c.claims))
			if diff := cmp.Diff(c.want, u.Permissions); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		claims map[string]any
		want   string
	}{
		{map[string]any{"name": "Alice Doe", "email": "a@example.com"}, "Alice Doe"},
		{map[string]any{"name": nil, "preferred_username": "alice.d", "email": "a@example.com"}, "alice.d"},
		{map[string]any{"name": " ", "email": "a@example.com"}, "a@example.com"},
		{map[string]any{"name": 7, "email": nil}, ""},
		{map[string]any{"name": "A\u0000l\nice\xff"}, "Alice"},
		{map[string]any{"name": strings.Repeat("ä", 300)}, strings.Repeat("ä", 200)},
	} {
		if u := mustVerify(t, w, w.token(t, c.claims)); u.Name != c.want {
			t.Errorf("%v: the name is %q, not %q", c.claims, u.Name, c.want)
		}
	}
}

var _ console.Verifier = (*identity.Verifier)(nil)
