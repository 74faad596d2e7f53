package oidcsim_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
)

const (
	callback = "https://console.example.com/callback"
	verifier = "a-verifier-of-at-least-43-characters-0123456789"
)

func challenge() string {
	hash := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// TestSignIn goes a browser's way, with go-oidc as the judge of what comes out.
func TestSignIn(t *testing.T) {
	t.Parallel()
	issuer := oidcsim.New(oidcsim.Options{})
	server := httptest.NewServer(issuer)
	t.Cleanup(server.Close)
	issuer.SetURL(server.URL)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	asked := url.Values{
		"client_id": {"console"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid offline_access"}, "state": {"s"},
		"nonce": {"n"}, "code_challenge": {challenge()}, "code_challenge_method": {"S256"}, "login_hint": {"alice"},
	}
	resp, err := client.Get(server.URL + "/authorize?" + asked.Encode())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := resp.Location()
	if err != nil || at.Query().Get("state") != "s" || at.Query().Get("code") == "" {
		t.Fatalf("led to %v (%v)", at, err)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"console"}, "redirect_uri": {callback}, "code": {at.Query().Get("code")}, "code_verifier": {verifier},
	}
	status, answer := post(t, server.URL, form)
	if status != http.StatusOK {
		t.Fatalf("the code is refused: %v", answer)
	}
	provider, err := oidc.NewProvider(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	check(t, provider, "socialops", answer["access_token"])
	if id := check(t, provider, "console", answer["id_token"]); id.Nonce != "n" {
		t.Errorf("the nonce is %q", id.Nonce)
	}
	if status, _ := post(t, server.URL, form); status != http.StatusBadRequest {
		t.Errorf("the code is taken twice: %d", status)
	}
	status, answer = post(t, server.URL, url.Values{"grant_type": {"refresh_token"}, "client_id": {"console"}, "refresh_token": {answer["refresh_token"].(string)}})
	if status != http.StatusOK {
		t.Fatalf("the refresh token is refused: %v", answer)
	}
	check(t, provider, "socialops", answer["access_token"])
}

func check(t *testing.T, p *oidc.Provider, audience string, token any) *oidc.IDToken {
	t.Helper()
	text, _ := token.(string)
	checked, err := p.Verifier(&oidc.Config{ClientID: audience}).Verify(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	if checked.Subject != "alice" {
		t.Errorf("the subject is %q", checked.Subject)
	}
	return checked
}

// TestWrongVerifier: who caught a code has nothing of it.
func TestWrongVerifier(t *testing.T) {
	t.Parallel()
	issuer := oidcsim.New(oidcsim.Options{})
	server := httptest.NewServer(issuer)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Get(server.URL + "/authorize?response_type=code&client_id=c&login_hint=alice&code_challenge_method=S256&code_challenge=" + challenge() + "&redirect_uri=" + callback)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	status, answer := post(t, server.URL, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"c"}, "redirect_uri": {callback}, "code": {at.Query().Get("code")}, "code_verifier": {"another"},
	})
	if status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, answer)
	}
}

func post(t *testing.T, address string, form url.Values) (int, map[string]any) {
	t.Helper()
	resp, err := http.PostForm(address+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}
