package oidcsim

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// grant is what a code or a refresh token stands for.
type grant struct {
	clientID, redirectURI, challenge, nonce, scope string
	subject                                        string
	permissions                                    []string
	refresh                                        bool
	expires                                        time.Time
}

var form = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Sign in</title>
<h1>Sign in to the simulator</h1>
<form method="get" action="authorize">
{{range $name, $value := .Query}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<p><label>Subject <input name="login_hint" value="alice" required autofocus></label></p>
<p><label>Permissions <input name="permissions" value="service:read service:manage"></label></p>
<p><button>Sign in</button></p>
</form>`))

func (i *Issuer) addFlow() {
	i.mux.HandleFunc("GET /authorize", i.authorize)
	i.mux.HandleFunc("POST /token", i.token)
	i.mux.HandleFunc("OPTIONS /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
	})
	i.mux.HandleFunc("GET /end", func(w http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("post_logout_redirect_uri"); to != "" {
			http.Redirect(w, r, to, http.StatusFound) //nolint:gosec // a simulator leads wherever it is told
			return
		}
		_, _ = w.Write([]byte("signed out\n"))
	})
}

// authorize gives a code to whoever names a subject, and asks others for one.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || to.Host == "" {
		http.Error(w, "redirect_uri is missing", http.StatusBadRequest)
		return
	}
	answer := func(values ...string) {
		query := to.Query()
		query.Set("state", q.Get("state"))
		query.Set("iss", i.address())
		for n := 0; n < len(values); n += 2 {
			query.Set(values[n], values[n+1])
		}
		to.RawQuery = query.Encode()
		http.Redirect(w, r, to.String(), http.StatusFound) //nolint:gosec // a simulator leads wherever it is told
	}
	switch {
	case q.Get("response_type") != "code":
		answer("error", "unsupported_response_type")
	case q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		answer("error", "invalid_request", "error_description", "PKCE with S256 is wanted")
	case q.Get("login_hint") == "" && q.Get("prompt") == "none":
		answer("error", "login_required")
	case q.Get("login_hint") == "":
		query := map[string]string{}
		for name := range q {
			query[name] = q.Get(name)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = form.Execute(w, map[string]any{"Query": query})
	default:
		permissions := strings.Fields(q.Get("permissions"))
		if !q.Has("permissions") {
			permissions = []string{"service:read", "service:manage"}
		}
		answer("code", i.keep(grant{
			clientID: q.Get("client_id"), redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
			scope: q.Get("scope"), subject: q.Get("login_hint"), permissions: permissions, expires: i.options.Now().Add(time.Minute),
		}))
	}
}

// token takes a code, or a refresh token, once.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	refuse := func(code, why string) {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": why})
	}
	if err := r.ParseForm(); err != nil {
		refuse("invalid_request", "the form can't be read")
		return
	}
	refresh := r.PostForm.Get("grant_type") == "refresh_token"
	name := r.PostForm.Get("code")
	if refresh {
		name = r.PostForm.Get("refresh_token")
	}
	g, ok := i.take(name)
	if !ok || g.refresh != refresh || g.clientID != r.PostForm.Get("client_id") {
		refuse("invalid_grant", "no such code or refresh token of this client")
		return
	}
	if !refresh {
		hash := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(hash[:])), []byte(g.challenge)) == 0 ||
			g.redirectURI != r.PostForm.Get("redirect_uri") {
			refuse("invalid_grant", "code_verifier or redirect_uri does not fit")
			return
		}
	}
	claims := i.Claims(g.subject, g.permissions...)
	access, err := i.Sign(merged(claims, map[string]any{"client_id": g.clientID, "scope": g.scope}), nil)
	if err == nil {
		answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "scope": g.scope}
		id := merged(claims, map[string]any{"aud": g.clientID})
		if g.nonce != "" && !refresh {
			id["nonce"] = g.nonce
		}
		if answer["id_token"], err = i.Sign(id, map[string]any{"typ": "JWT"}); err == nil {
			g.refresh, g.expires = true, i.options.Now().Add(24*time.Hour)
			answer["refresh_token"] = i.keep(g)
			writeJSON(w, http.StatusOK, answer)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (i *Issuer) address() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.url
}

func (i *Issuer) keep(g grant) (name string) {
	name = rand.Text()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.grants[name] = g
	return name
}

func (i *Issuer) take(name string) (grant, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.grants[name]
	delete(i.grants, name)
	return g, ok && i.options.Now().Before(g.expires)
}
