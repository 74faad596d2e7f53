package github

import (
	"crypto/hmac"
	"crypto/sha1" // to see that it is not accepted
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	const (
		secret = "It's a Secret to Everybody"
		body   = "Hello, World!"
		vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" // of GitHub's documentation
	)
	sha1MAC := hmac.New(sha1.New, []byte(secret))
	sha1MAC.Write([]byte(body))
	sha1Signature := "sha1=" + hex.EncodeToString(sha1MAC.Sum(nil))
	form := "payload=" + url.QueryEscape(`{"action":"opened"}`)

	account := func(n byte, secrets ...string) provider.Proof {
		p := provider.Proof{AccountID: inbox.AccountID{n}, Source: Name}
		for _, s := range secrets {
			p.Secrets = append(p.Secrets, []byte(s))
		}
		return p
	}
	ours := []provider.Proof{account(1, "another"), account(2, "older", secret), account(3)}
	tests := []struct {
		name   string
		header http.Header
		body   string
		proofs []provider.Proof
		want   byte // account; 0: none
	}{
		{"GitHub's own vector", http.Header{"X-Hub-Signature-256": {vector}}, body, ours, 2},
		{"in capitals", http.Header{"X-Hub-Signature-256": {"sha256=" + strings.ToUpper(vector[7:])}}, body, ours, 2},
		{"the other account", http.Header{"X-Hub-Signature-256": {sign("another", body)}}, body, ours, 1},
		{"a secret that is being rotated out", http.Header{"X-Hub-Signature-256": {sign("older", body)}}, body, ours, 2},
		{"a form, signed as it is sent", http.Header{"X-Hub-Signature-256": {sign(secret, form)}}, form, ours, 2},
		{"a form, signed by what is in it", http.Header{"X-Hub-Signature-256": {sign(secret, `{"action":"opened"}`)}}, form, ours, 0},
		{"empty body", http.Header{"X-Hub-Signature-256": {sign(secret, "")}}, "", ours, 2},
		{"missing", http.Header{}, body, ours, 0},
		{"empty", http.Header{"X-Hub-Signature-256": {""}}, body, ours, 0},
		{"no digits", http.Header{"X-Hub-Signature-256": {"sha256="}}, body, ours, 0},
		{"not hexadecimal", http.Header{"X-Hub-Signature-256": {"sha256=" + strings.Repeat("zz", 32)}}, body, ours, 0},
		{"cut off", http.Header{"X-Hub-Signature-256": {vector[:len(vector)-2]}}, body, ours, 0},
		{"longer", http.Header{"X-Hub-Signature-256": {vector + "00"}}, body, ours, 0},
		{"without its name", http.Header{"X-Hub-Signature-256": {vector[7:]}}, body, ours, 0},
		{"one bit off", http.Header{"X-Hub-Signature-256": {vector[:len(vector)-1] + "6"}}, body, ours, 0},
		{"another body", http.Header{"X-Hub-Signature-256": {vector}}, body + " ", ours, 0},
		{"a secret that nobody has", http.Header{"X-Hub-Signature-256": {sign("guess", body)}}, body, ours, 0},
		{"SHA-1 only", http.Header{"X-Hub-Signature": {sha1Signature}}, body, ours, 0},
		{"SHA-1 in the other's place", http.Header{"X-Hub-Signature-256": {sha1Signature}}, body, ours, 0},
		{"an empty secret, no signature", http.Header{}, body, []provider.Proof{account(4, "")}, 0},
		{"an empty secret, signed with it", http.Header{"X-Hub-Signature-256": {sign("", body)}}, body, []provider.Proof{account(4, ""), account(5), {Secrets: [][]byte{nil}}}, 0},
		{"no accounts", http.Header{"X-Hub-Signature-256": {vector}}, body, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			proof, ok := New().Authenticate(&provider.Request{Header: tt.header, Body: []byte(tt.body)}, tt.proofs)
			if ok != (tt.want != 0) || proof.AccountID[0] != tt.want {
				t.Errorf("account %d, proven %t; want %d", proof.AccountID[0], ok, tt.want)
			}
		})
	}
}
