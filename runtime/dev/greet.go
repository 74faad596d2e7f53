package dev

import (
	"fmt"

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
