//go:build long && linux

package badday

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/dev/desk"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
	"github.com/open4x/socialops/runtime/rest"
)

// What the samples and the demo hold that no log may.
const (
	sampleToken  = "123456:SIMULATOR-not-a-real-bot-token-0000"
	sampleSecret = "SAMPLE-not-a-real-webhook-secret"
)

var demoTexts = []string{"API latency is high", "my order has not come", "we are checking this now", "Engine stops", "Jane Doe"}

// TestDemoTwice plays the demo twice on one data folder, as `make demo` does for
// somebody who comes back.
func TestDemoTwice(t *testing.T) {
	t.Parallel()
	data, address := filepath.Join(newFolder(t), "data"), freeAddress(t)
	var threads []rest.Thread
	answers := 1 // that were delivered
	for _, turn := range desk.Past(time.Now()) {
		if turn.Kind == desk.Reply {
			answers++
		}
	}
	for run, verdict := range []string{"accepted", "duplicate"} {
		d := startDev(t, options{}, data, address, samples, "--demo", "--demo-for", "0")
		said := d.out.String()
		if n := strings.Count(said, " "+verdict+" in soth_"); n != 3 {
			t.Errorf("run %d: %d events were %s, want 3:\n%s", run+1, n, verdict, said)
		}
		for _, row := range []string{
			`telegram +open +normal +0 +Jane Doe +Jane Doe +→ Thanks, we are checking this now\.`,
			`generic-webhook +open +high +1 +Incident opened +API latency is high`,
			`github +open +normal +1 +Mona-Lisa +Engine stops after 3 seconds`,
		} {
			if !regexp.MustCompile(row).MatchString(said) {
				t.Errorf("run %d shows no row %q:\n%s", run+1, row, said)
			}
		}
		c := d.client("support")
		list := get[rest.List[rest.Thread]](c, "/threads?limit=100").Data
		if len(list) != 49 {
			t.Fatalf("run %d: %d threads, want the 3 of the samples and the desk's 46", run+1, len(list))
		}
		for i := range threads {
			if threads[i].ID != list[i].ID {
				t.Errorf("thread %s has become %s", threads[i].ID, list[i].ID)
			}
		}
		threads = list
		sim := newClient(t, d.awaitOut(`Telegram simulator at (http://\S+?)\.\n`)[1], "")
		if n := len(get[[]botapisim.Sent](sim, "/sim/sent")); n != (1-run)*answers {
			t.Errorf("run %d: the simulator has seen %d replies, want %d", run+1, n, (1-run)*answers)
		}
		d.consistent("support")
		d.stop()
		d.quiet(d.key("support"), sampleToken, sampleSecret)
	}
}

// quiet checks that a dev mode that has ended told nobody a secret, and put
// nothing that people wrote into a log.
func (d *devMode) quiet(secrets ...string) {
	d.t.Helper()
	key, err := os.ReadFile(filepath.Join(d.data, "secrets", "encryption-key"))
	if err != nil {
		d.t.Fatal(err)
	}
	secrets = append(secrets, string(key), hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key))
	postgres, err := os.ReadFile(filepath.Join(d.data, "postgres.log"))
	if err != nil {
		d.t.Fatal(err)
	}
	logs := d.log.String() + string(postgres)
	for _, s := range secrets {
		if s == "" {
			d.t.Fatal("there is a secret missing that is to be looked for")
		}
		_, half, _ := strings.Cut(s, ":") // a bot token is a public id and a secret
		for _, s := range []string{s, half} {
			if s != "" && strings.Contains(logs+d.out.String(), s) {
				d.t.Errorf("a secret that ends in %q was told", s[len(s)-4:])
			}
		}
	}
	for _, s := range demoTexts {
		if strings.Contains(logs, s) {
			d.t.Errorf("%q was logged", s)
		}
	}
	if !strings.Contains(logs, "level=DEBUG msg=request") {
		d.t.Error("the log says little: this test wants it at debug level")
	}
}

// refusedKey tells whether a key is no longer good.
func refusedKey(c *client) bool {
	return c.call(http.MethodGet, "/threads", "").StatusCode == http.StatusUnauthorized
}
