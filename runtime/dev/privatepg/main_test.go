package privatepg

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	ownerEnv = "PRIVATEPG_TEST_OWNER" // Options of the process that owns a server
	rootEnv  = "PRIVATEPG_TEST_ROOT"  // where this run's directories go
)

// testRoot is a directory that every user can reach, unlike t.TempDir's.
var testRoot string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	testRoot = os.Getenv(rootEnv)
	if testRoot == "" {
		dir, err := os.MkdirTemp("", "privatepg-test-")
		if err == nil {
			err = os.Chmod(dir, 0o711)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		testRoot = dir
	}
	stateRoot = filepath.Join(testRoot, "state")
	if o := os.Getenv(ownerEnv); o != "" {
		return own(o)
	}
	return m.Run()
}

// own is a process that owns a server, as `socialops dev` does.
func own(options string) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT)
	defer cancel()
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	s, err := Start(ctx, o)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	defer s.Stop(context.Background())
	fmt.Println(s.PID(), url.QueryEscape(s.DataDir()))
	<-ctx.Done()
	if err := s.Stop(context.Background()); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

type owner struct {
	cmd  *exec.Cmd
	pid  int // the postmaster's
	data string
}

// startOwner runs own in another process, with a process group of its own as a
// shell gives it. It returns once the server runs.
func startOwner(t *testing.T, o Options) owner {
	t.Helper()
	cmd, out := startOwnerProcess(t, o)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the owner said %q: %v", line, err)
	}
	pid, data, _ := strings.Cut(strings.TrimSpace(line), " ")
	ow := owner{cmd: cmd}
	if ow.pid, err = strconv.Atoi(pid); err != nil {
		t.Fatalf("the owner said %q", line)
	}
	if ow.data, err = url.QueryUnescape(data); err != nil {
		t.Fatal(err)
	}
	return ow
}

func startOwnerProcess(t *testing.T, o Options) (*exec.Cmd, io.Reader) {
	t.Helper()
	options, err := json.Marshal(struct {
		Dir       string
		Settings  map[string]string
		Ephemeral bool
	}{o.Dir, o.Settings, o.Ephemeral})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self(t))
	cmd.Env = append(os.Environ(), ownerEnv+"="+string(options), rootEnv+"="+testRoot)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd, out
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func newDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(testRoot, "t-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Log == nil {
		o.Log = func(m string) { t.Log(m) }
	}
	begun := time.Now()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Postgres %d started in %v", s.bin.major, time.Since(begun).Round(time.Millisecond))
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// query runs one statement and returns its first column, joined by commas.
func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	return queryAs(t, s.DSN(Superuser, "postgres"), sql)
}

func queryAs(t *testing.T, dsn, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, sql)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[any])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var b bytes.Buffer
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// gone waits until no Postgres runs on the data directory, at most 10 s.
func gone(t *testing.T, pid int, data string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runsOn(pid, data) != no; time.Sleep(pollEvery) {
		if time.Now().After(end) {
			t.Fatalf("Postgres %d still runs on %s", pid, data)
		}
	}
}

func wait(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err
}
