package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// page serves the built page. Its addresses are the browser's own matter: whatever
// is no file gets the same document.
type page struct {
	files         fs.FS // nil: it was not built
	before, after []byte
	config        func() Config
	csp           string
}

// configPlace is the element of index.html that the configuration goes into. It is
// data: no policy lets a browser run it.
const configPlace = `id="config">`

// earlyPlace begins the one script that stands in index.html itself, as it asks for
// the first view's data before any file is there. The policy allows it by its hash.
const earlyPlace = `<script id="early">`

// unbuilt is shown by a binary that was built without the page.
const unbuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>SocialOps</title>
<body><h1>SocialOps</h1><p>This binary was built without the console's page: run <code>make build</code>.</p>
<p>The console's API is there: <a href="/console/socialops/docs">/console/socialops/docs</a>.</p></body></html>
`

// newPage reads the page below dist. config is asked for each time that it is shown.
func newPage(files fs.FS, config func() Config, log *slog.Logger) *page {
	p := &page{config: config, csp: pageCSP(config(), nil)}
	dist, err := fs.Sub(files, "dist")
	var index []byte
	if err == nil {
		index, err = fs.ReadFile(dist, "index.html")
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.Error("the console's page can't be read", "error", err)
		}
		return p
	}
	head, tail, there := bytes.Cut(index, []byte(configPlace))
	end := bytes.Index(tail, []byte("</script>"))
	if !there || end < 0 {
		log.Error("the console's page has no place for its configuration: it asks for it")
		head, tail, end = index, nil, 0
	} else {
		head = index[:len(head)+len(configPlace)]
	}
	p.files, p.before, p.after = dist, head, tail[end:]
	p.csp = pageCSP(config(), earlyScript(index))
	return p
}

// earlyScript is what index.html holds between the tags of its script; nil: it has none.
func earlyScript(index []byte) []byte {
	_, rest, there := bytes.Cut(index, []byte(earlyPlace))
	script, _, ended := bytes.Cut(rest, []byte("</script>"))
	if !there || !ended {
		return nil
	}
	return script
}

// pageCSP allows the page what comes from here, its document's own script, and calls
// to the issuer. Pictures of other hosts are not loaded: they would tell those who is
// reading, and when.
func pageCSP(c Config, script []byte) string {
	scripts := "'self'"
	if script != nil {
		sum := sha256.Sum256(script)
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	connect := "'self'"
	if c.OIDC != nil {
		if issuer, err := url.Parse(c.OIDC.Issuer); err == nil && issuer.Host != "" {
			connect += " " + issuer.Scheme + "://" + issuer.Host
		}
	}
	return "default-src 'none'; script-src " + scripts + "; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; manifest-src 'self'; connect-src " + connect +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// ServeHTTP implements [http.Handler].
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", p.csp)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this address takes GET only", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if p.files != nil && served(name) && p.file(w, r, name) {
		return
	}
	if name != "" && (ours(r.URL.Path) || !wantsHTML(r.Header.Get("Accept"))) {
		h.Set("Cache-Control", "no-store")
		http.Error(w, "there is nothing at this address", http.StatusNotFound)
		return
	}
	p.document(w, r)
}

// ours tells addresses that are none of the page's.
func ours(address string) bool {
	for _, prefix := range []string{"/console", "/v1", "/healthz", "/readyz", "/metrics", "/assets"} {
		if rest, is := strings.CutPrefix(address, prefix); is && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func wantsHTML(accept string) bool {
	return accept == "" || accept == "*/*" || strings.Contains(accept, "text/html")
}

// document sends the page with its configuration.
func (p *page) document(w http.ResponseWriter, r *http.Request) {
	body := []byte(unbuilt)
	if p.files != nil {
		var config []byte
		if p.after != nil {
			config, _ = json.Marshal(p.config()) // texts always have JSON, in which < > & are written as \u003c …
		}
		body = bytes.Join([][]byte{p.before, config, p.after}, nil)
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// served tells whether a name can be a file of the page's: not the document, which
// lacks its configuration, not what is hidden, not a compressed twin.
func served(name string) bool {
	if name == "" || name == "index.html" || !fs.ValidPath(name) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part[0] == '.' {
			return false
		}
	}
	return contentTypes[path.Ext(name)] != ""
}

// contentTypes are those of the files that a page has. They are not asked of the
// machine, whose tables differ.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon",
	".woff2": "font/woff2", ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8",
}

// file sends a file, compressed as it was built where the browser takes that. It
// tells whether there is one.
func (p *page) file(w http.ResponseWriter, r *http.Request, name string) bool {
	plain, err := p.files.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = plain.Close() }() // embedded
	if info, err := plain.Stat(); err != nil || info.IsDir() {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=3600")
	if strings.HasPrefix(name, "assets/") { // their names change with what they hold
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content := plain
	for _, packed := range []struct{ coding, ending string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(r.Header.Get("Accept-Encoding"), packed.coding) {
			continue
		}
		if f, err := p.files.Open(name + packed.ending); err == nil {
			defer func() { _ = f.Close() }() // as above
			h.Set("Content-Encoding", packed.coding)
			content = f
			break
		}
	}
	seeker, is := content.(io.ReadSeeker)
	if !is {
		return false
	}
	http.ServeContent(w, r, "", time.Time{}, seeker)
	return true
}

// accepts reads Accept-Encoding.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}
