package dev

import (
	"fmt"

	"github.com/open4x/socialops/runtime/rest"
)

// greet tells a person what is where.
func (d *process) greet() {
	aliases := d.tenants.aliases()
	inboxes := fmt.Sprintf("%d inboxes", len(aliases))
	if len(aliases) == 1 {
		inboxes = "one inbox"
	}
	d.sayf("SocialOps is at %s, with %s.\n", d.PublicURL, inboxes)
	for _, alias := range aliases {
		d.sayf("\n%s  key: %s\n%s", alias, KeyFile(d.DataDir, alias), d.examples(alias))
	}
	d.invite()
}

// invite tells where the console is, and opens it if that is wished.
func (d *process) invite() {
	who := "as an inbox's owner, once there is one"
	if owners := d.console.sessions.Owners(); len(owners) > 0 {
		who = "as " + owners[0]
	}
	d.sayf("\nOpen %s in a browser: the console, in dev mode, signs you in by itself, %s.\nCtrl-C stops everything.\n", d.here(), who)
	if d.Open {
		if err := browse(d.here()); err != nil {
			d.Log.Info("no browser could be opened", "error", err)
		}
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
