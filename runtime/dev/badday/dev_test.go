//go:build long && linux

package badday

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/open4x/socialops/runtime/dev"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

const samples = "../../../config/samples"

// devMode is a `socialops dev` that runs.
type devMode struct {
	*process
	data, address string
	took          time.Duration // from its start to its readiness
}

// newFolder makes a folder that Postgres's own user can pass, as one of a test can't be.
func newFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "socialops-badday-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// copySamples makes a folder of manifests of its own out of the samples.
func copySamples(t testing.TB) string {
	t.Helper()
	dir := newFolder(t)
	for _, name := range []string{"accounts.yaml", "channels.yaml", "support.yaml"} {
		b, err := os.ReadFile(filepath.Join(samples, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(b))
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// startDev starts the dev mode and waits until it greets.
func startDev(t testing.TB, o options, data, address, manifests string, more ...string) *devMode {
	t.Helper()
	began := time.Now()
	d := &devMode{data: data, address: address}
	d.process = start(t, o, devArgs(data, address, manifests, more...)...)
	d.awaitOut(`Ctrl-C stops`)
	d.took = time.Since(began)
	return d
}

func devArgs(data, address, manifests string, more ...string) []string {
	// Bots of the samples are nobody's: no test may ask Telegram about them.
	return append([]string{"dev", "--log-level", "debug", "--data-dir", data, "--listen", address, "--manifests", manifests}, more...)
}

// nowhere is a Bot API that can't be reached.
func nowhere(t testing.TB) []string {
	return []string{"--telegram-api-url", "http://" + freeAddress(t)}
}

// key is the API key of an alias, as a person would look it up.
func (d *devMode) key(alias string) string {
	d.t.Helper()
	b, err := os.ReadFile(dev.KeyFile(d.data, alias))
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func (d *devMode) client(alias string) *client {
	d.t.Helper()
	return newClient(d.t, "http://"+d.address+rest.BasePath+alias, d.key(alias))
}

// command runs a command on the dev mode's data.
func (d *devMode) command(args ...string) (p *process, status int) {
	d.t.Helper()
	return command(d.t, options{}, append(args, "--data-dir", d.data)...)
}

// owner opens the dev mode's database as its owner.
func (d *devMode) owner() *pgxpool.Pool {
	d.t.Helper()
	url, err := dev.DatabaseURL(d.data)
	if err != nil {
		d.t.Fatal(err)
	}
	pool, err := pgxpool.New(d.t.Context(), url)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(pool.Close)
	return pool
}

// consistent checks an alias's instance in the dev mode's database.
func (d *devMode) consistent(alias string) {
	d.t.Helper()
	owner := d.owner()
	defer owner.Close()
	var id [16]byte
	if err := owner.QueryRow(d.t.Context(), `SELECT id FROM instance WHERE alias = $1`, alias).Scan(&id); err != nil {
		d.t.Fatal(err)
	}
	pgtest.Consistent(d.t, owner, inbox.InstanceID(id))
}

// stop ends it as Ctrl-C does: in time, well, and with nothing left.
func (d *devMode) stop() {
	d.t.Helper()
	family := d.family()
	if len(family) == 0 {
		d.t.Error("it has no Postgres among its children")
	}
	d.interrupt()
	if status := d.wait(); status != 0 {
		d.t.Errorf("Ctrl-C ended it with status %d", status)
	}
	if left := family.alive(); len(left) != 0 {
		d.t.Errorf("Ctrl-C left processes %v running", left)
	}
}

// warm is how long a start may take on a machine as busy as a test's. A person's
// is to be under 3 s.
const warm = 20 * time.Second

// TestDevMode is the life of one data folder.
func TestDevMode(t *testing.T) {
	t.Parallel()
	data, manifests, address, away := filepath.Join(newFolder(t), "data"), copySamples(t), freeAddress(t), nowhere(t)
	first := startDev(t, options{}, data, address, manifests, away...)
	t.Logf("cold start: %s", first.took)
	key := first.key("support")
	if info, err := os.Stat(dev.KeyFile(data, "support")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	was := first.client("support").event(http.StatusAccepted, "evt_1", "incident")

	// Neither its data nor its port is to be had twice.
	p, status := command(t, options{}, devArgs(data, freeAddress(t), manifests)...)
	if want := fmt.Sprintf("another socialops dev, pid %d, uses %s: stop it, or choose another data directory", first.cmd.Process.Pid, data); status != 1 || !strings.Contains(p.log.String(), want) {
		t.Errorf("a second one on the same data ended with %d and logged %s; want %q", status, p.log, want)
	}
	other := filepath.Join(newFolder(t), "data")
	p, status = command(t, options{}, devArgs(other, address, manifests)...)
	if want := "listening on " + address + " (is another program using it? try --listen"; status != 1 || !strings.Contains(p.log.String(), want) {
		t.Errorf("a second one on the same port ended with %d and logged %s; want %q", status, p.log, want)
	}
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Errorf("it made a data folder though it had no port: %v", err)
	}

	// Killed, it goes on where it was: at once, while its Postgres may still be about.
	for _, kill := range []bool{true, true, false} {
		if kill {
			first.kill()
		} else {
			first.stop()
		}
		next := startDev(t, options{}, data, address, manifests, away...)
		t.Logf("warm start (killed: %v): %s", kill, next.took)
		if next.took > warm {
			t.Errorf("a warm start took %s", next.took)
		}
		if got := next.key("support"); got != key {
			t.Error("the key of the alias is another one")
		}
		again := next.client("support").event(http.StatusOK, "evt_1", "incident")
		if again.Status != "duplicate" || again.MessageID != was.MessageID || again.ThreadID != was.ThreadID {
			t.Errorf("a repeat after the restart: %+v, after %+v", again, was)
		}
		threads := get[rest.List[rest.Thread]](next.client("support"), "/threads").Data
		if len(threads) != 1 || threads[0].ID != was.ThreadID {
			t.Errorf("the threads after the restart are %+v", threads)
		}
		first = next
	}
	first.consistent("support")
	first.stop()
	if log, err := os.ReadFile(filepath.Join(data, "postgres.log")); err != nil || !strings.HasSuffix(strings.TrimSpace(string(log)), "database system is shut down") {
		t.Errorf("Postgres was not shut down in order: %v\n%s", err, log[max(0, len(log)-500):])
	}
	if _, err := os.Stat(filepath.Join(data, "run", ".s.PGSQL.5432")); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestDevModeLosesItsPostgres takes the database from under a dev mode: it ends
// and says why, and the next start has what was stored.
func TestDevModeLosesItsPostgres(t *testing.T) {
	t.Parallel()
	data, manifests, address, away := filepath.Join(newFolder(t), "data"), copySamples(t), freeAddress(t), nowhere(t)
	d := startDev(t, options{}, data, address, manifests, away...)
	d.client("support").event(http.StatusAccepted, "evt_1", "incident")
	b, err := os.ReadFile(filepath.Join(data, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	if _, ours := d.family()[pid]; err != nil || !ours {
		t.Fatalf("%q is no child of the dev mode: %v", line, err)
	}
	family := d.family()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := d.wait(); status != 1 || !strings.Contains(d.log.String(), "the private Postgres ended; its log is "+filepath.Join(data, "postgres.log")) {
		t.Errorf("without Postgres it ended with %d: %s", status, d.log)
	}
	family.awaitEnd(t)
	d = startDev(t, options{}, data, address, manifests, away...)
	d.client("support").event(http.StatusOK, "evt_1", "incident")
	d.consistent("support")
	d.stop()
}

// TestDevModeInterruptedEarly stops a start before it is done: that is no failure, and the next start is whole.
func TestDevModeInterruptedEarly(t *testing.T) {
	t.Parallel()
	data, manifests, address, away := filepath.Join(newFolder(t), "data"), copySamples(t), freeAddress(t), nowhere(t)
	for _, moment := range []string{"", filepath.Join(data, "postgres"), filepath.Join(data, "database-url")} {
		d := &devMode{process: start(t, options{}, devArgs(data, address, manifests, away...)...), data: data}
		until(t, "it has begun "+moment, func() bool {
			if moment == "" {
				return len(d.family()) > 0 // initdb
			}
			_, err := os.Lstat(moment)
			return err == nil
		})
		family := d.family()
		d.interrupt()
		if status := d.wait(); status != 0 || strings.Contains(d.log.String(), "socialops: ") {
			t.Errorf("interrupted at %q, it ended with status %d: %s", moment, status, d.log)
		}
		family.awaitEnd(t)
	}
	d := startDev(t, options{}, data, address, manifests, away...)
	d.client("support").event(http.StatusAccepted, "evt_1", "incident")
	d.stop()
}

// TestDevModeAsUser runs it as somebody without rights, where the test itself is root.
func TestDevModeAsUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("the other tests are run as a user already")
		return
	}
	const nobody = 65534
	home := newFolder(t)
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	manifests := copySamples(t)
	if err := os.Chmod(manifests, 0o755); err != nil {
		t.Fatal(err)
	}
	o := options{as: &syscall.Credential{Uid: nobody, Gid: nobody}, env: []string{"HOME=" + home, "XDG_RUNTIME_DIR="}}
	var was rest.WebhookAnswer
	for i, status := range []int{http.StatusAccepted, http.StatusOK} {
		d := startDev(t, o, filepath.Join(home, "data"), freeAddress(t), manifests, nowhere(t)...)
		a := d.client("support").event(status, "evt_1", "incident")
		if i > 0 && a.MessageID != was.MessageID {
			t.Errorf("a repeat after the restart: %+v, after %+v", a, was)
		}
		was = a
		for pid := range d.family() {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil && !strings.Contains(string(b), fmt.Sprintf("Uid:\t%d\t%[1]d", nobody)) {
				t.Errorf("its child %d runs as another user:\n%s", pid, b)
			}
		}
		d.stop()
	}
}
