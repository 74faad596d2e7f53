package console

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a page as its build leaves it.
func built() fstest.MapFS {
	f := fstest.MapFS{}
	for name, text := range map[string]string{
		"dist/index.html":             `<!doctype html><script type="application/json" id="config">{}</script><script id="early">ask()</script><script type="module" src="/assets/main-1.js"></script>`,
		"dist/assets/main-1.js":       "plain",
		"dist/assets/main-1.js.br":    "brotli",
		"dist/assets/main-1.js.gz":    "gzip",
		"dist/assets/small-1.css":     "css",
		"dist/assets/main-1.js.map":   "source",
		"dist/.stamp":                 "hidden",
		"dist/robots.txt":             "User-agent: *",
		"dist/assets/deep/.hidden.js": "hidden",
	} {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

func TestPage(t *testing.T) {
	t.Parallel()
	config := Config{Mode: "oidc", Version: "</script><b>", OIDC: &OIDCConfig{Issuer: "https://id.example:8443/realm", ClientID: "console"}}
	p := newPage(built(), func() Config { return config }, slog.New(slog.DiscardHandler))
	const hash = "sha256-inhqo8UEOtta3Yf/3uJCGUt2o6pzuDBPHXRBiutLwio=" // printf 'ask()' | openssl dgst -sha256 -binary | base64
	const forever, short, check = "public, max-age=31536000, immutable", "public, max-age=3600", "no-cache"
	for name, c := range map[string]struct {
		path, accept, encoding string
		status                 int
		body, cache, coding    string
	}{
		"the page":                   {"/", "text/html,*/*", "", 200, `id="config">{"mode":"oidc"`, check, ""},
		"an address of the page's":   {"/a/support/t/soth_1?status=open", "text/html", "br", 200, `id="config">{`, check, ""},
		"its own name":               {"/index.html", "text/html", "", 200, `id="config">{"mode"`, check, ""},
		"the callback":               {"/callback?code=1", "text/html", "", 200, "<!doctype html>", check, ""},
		"a file, plain":              {"/assets/main-1.js", "*/*", "", 200, "plain", forever, ""},
		"a file, brotli":             {"/assets/main-1.js", "*/*", "gzip, deflate, br, zstd", 200, "brotli", forever, "br"},
		"a file, gzip":               {"/assets/main-1.js", "*/*", "gzip", 200, "gzip", forever, "gzip"},
		"a file, brotli refused":     {"/assets/main-1.js", "*/*", "br;q=0, gzip;q=0.5", 200, "gzip", forever, "gzip"},
		"a file without a twin":      {"/assets/small-1.css", "*/*", "br", 200, "css", forever, ""},
		"a file beside the assets":   {"/robots.txt", "*/*", "", 200, "User-agent", short, ""},
		"a file that is gone":        {"/assets/main-0.js", "*/*", "", 404, "", "no-store", ""},
		"a gone file as a page":      {"/assets/main-0.js", "text/html", "", 404, "", "no-store", ""},
		"a twin by its name":         {"/assets/main-1.js.br", "text/html", "", 404, "", "no-store", ""},
		"a source map":               {"/assets/main-1.js.map", "text/html", "", 404, "", "no-store", ""},
		"what is hidden":             {"/.stamp", "text/plain", "", 404, "", "no-store", ""},
		"what is hidden further in":  {"/assets/deep/.hidden.js", "*/*", "", 404, "", "no-store", ""},
		"a folder":                   {"/assets", "*/*", "", 404, "", "no-store", ""},
		"a path upwards":             {"/assets/../../page.go", "application/json", "", 404, "", "no-store", ""},
		"the native API":             {"/v1/apps/socialops/nowhere/inbox", "text/html", "", 404, "", "no-store", ""},
		"what begins as ours":        {"/consoles", "text/html", "", 200, "<!doctype html>", check, ""},
		"another's picture":          {"/logo.png", "image/*", "", 404, "", "no-store", ""},
		"a program that wants JSON":  {"/a/support", "application/json", "", 404, "", "no-store", ""},
		"metrics are not the page's": {"/metrics", "text/html", "", 404, "", "no-store", ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://console.example/", http.NoBody)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(c.path, "?")
		r.Header.Set("Accept", c.accept)
		r.Header.Set("Accept-Encoding", c.encoding)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != c.status || c.status == 200 && !strings.Contains(w.Body.String(), c.body) || w.Header().Get("Cache-Control") != c.cache || w.Header().Get("Content-Encoding") != c.coding {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self' '"+hash+"'; style-src 'self'") || !strings.Contains(csp, "connect-src 'self' https://id.example:8443;") ||
			strings.Contains(csp, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
		if strings.Contains(w.Body.String(), "</script><b>") {
			t.Errorf("%s: the configuration ends its element:\n%s", name, w.Body)
		}
	}

	get := func(header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	tag := get("Accept", "text/html").Header().Get("Etag")
	if w := get("If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("the same page again: %d", w.Code)
	}
	config.Version = "v2"
	if w := get("If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("with another configuration: %d", w.Code)
	}
	post := httptest.NewRecorder()
	p.ServeHTTP(post, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
	if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", post.Code, post.Header())
	}

	plain := built()
	plain["dist/index.html"].Data = []byte(`<!doctype html><script type="module" src="/assets/main-1.js"></script>`)
	if csp := newPage(plain, func() Config { return config }, slog.New(slog.DiscardHandler)).csp; !strings.Contains(csp, "script-src 'self';") {
		t.Errorf("a page without a script in its document: %s", csp)
	}

	unbuilt := httptest.NewRecorder()
	newPage(fstest.MapFS{"dist/.gitkeep": {}}, func() Config { return config }, slog.New(slog.DiscardHandler)).
		ServeHTTP(unbuilt, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if unbuilt.Code != http.StatusOK || !strings.Contains(unbuilt.Body.String(), "make build") {
		t.Errorf("without a page: %d %s", unbuilt.Code, unbuilt.Body)
	}
}
