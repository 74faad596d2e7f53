package dev

import (
	"fmt"
	"html/template"
	"net/http"

	"github.com/open4x/socialops/runtime/rest"
)

// greet tells a person what is where.
func (d *process) greet() {
	d.sayf("SocialOps is at %s with %d inboxes; Ctrl-C stops it.\n", d.PublicURL, len(d.tenants.aliases()))
	for _, alias := range d.tenants.aliases() {
		d.sayf("\n%s  key: %s\n%s", alias, KeyFile(d.DataDir, alias), d.examples(alias))
	}
}

func (d *process) sayf(format string, args ...any) { _, _ = fmt.Fprintf(d.Out, format, args...) }

// examples are calls to go on with.
func (d *process) examples(alias string) string {
	base := d.PublicURL + rest.BasePath + alias
	key := `$(cat ` + KeyFile(d.DataDir, alias) + `)`
	return fmt.Sprintf(`
  curl -X POST %[1]s/webhook/generic-webhook -H "X-API-Key: %[2]s" -H "Content-Type: application/json" \
    -d '{"event_id": "evt_2001", "thread_id": "incident_43", "title": "Disk is full", "text": "db-2 has 1 %% left", "labels": ["ops"]}'
  curl "%[1]s/inbox?limit=10" -H "X-API-Key: %[2]s"
  curl -N %[1]s/events -H "X-API-Key: %[2]s"
  %[1]s/docs
`, base, key)
}

var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>SocialOps</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1c2430;background:#fff}a{color:#0b57d0}code{background:#f1f3f6;padding:.1em .3em;border-radius:3px}
@media (prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}a{color:#8ab4f8}code{background:#232a35}}</style></head>
<body><main><h1>SocialOps</h1><p>{{if .Aliases}}The inboxes of this process:{{else}}No inbox yet: put a <code>SocialOpsInstance</code> into <code>{{.Manifests}}</code>.{{end}}</p>
<ul>{{range .Aliases}}<li><a href="{{$.Base}}{{.}}/docs">{{.}}</a>: the reference of its API; its key is in <code>{{$.DataDir}}/keys/{{.}}</code></li>{{end}}</ul>
<p><a href="/metrics">Metrics</a></p></main></body></html>
`))

// index lists the inboxes.
func (d *process) index(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = indexPage.Execute(w, map[string]any{"Aliases": d.tenants.aliases(), "Base": rest.BasePath, "Manifests": d.Manifests, "DataDir": d.DataDir})
}
