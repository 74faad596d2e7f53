package privatepg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOwnerOfADirectory(t *testing.T) {
	t.Parallel()
	dir := newDir(t)

	// There is one at a time, whatever name the directory goes by.
	ow := startOwner(t, Options{Dir: dir})
	alias := filepath.Join(newDir(t), "alias")
	if err := os.Symlink(dir, alias); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("another socialops dev, pid %d, uses %s", ow.cmd.Process.Pid, dir)
	for _, name := range []string{dir, dir + "/../" + filepath.Base(dir), alias} {
		if _, err := Start(t.Context(), Options{Dir: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a second start on %s: %v, want %q", name, err, want)
		}
	}

	// Ctrl-C reaches the whole process group; the owner stops Postgres in order.
	if err := syscall.Kill(-ow.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, ow.cmd); err != nil {
		t.Errorf("the owner ended with %v", err)
	}
	if runsOn(ow.pid, ow.data) != no {
		t.Error("Postgres outlives its owner")
	}
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "database system is shut down") {
		t.Errorf("Postgres did not shut down in order:\n%s", log)
	}

	// Killed, it is followed at once by the next, while Postgres may still be
	// shutting down; with no next one Postgres ends by itself.
	for range 4 {
		ow = startOwner(t, Options{Dir: dir})
		if err := ow.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		wait(t, ow.cmd)
	}
	gone(t, ow.pid, ow.data)
}

// Where no parent-death signal reached it, Postgres is still there.
func TestTakesOverALeftover(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := start(t, Options{Dir: dir})
	query(t, s, "create table kept as select 1 as n")
	stop(t, s)

	for _, status := range []string{"ready", "stopped by SIGSTOP"} {
		cmd := command(context.Background(), s.place.who, "/", s.bin.postgres, s.args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for {
			if f, err := readPIDFile(s.DataDir()); err == nil && f.pid == cmd.Process.Pid && f.status == "ready" {
				break
			}
			time.Sleep(pollEvery)
		}
		if status == "ready" {
			var said []string
			again := start(t, Options{Dir: dir, Log: func(m string) { said = append(said, m) }})
			if want := fmt.Sprintf("pid %d", cmd.Process.Pid); len(said) != 1 || !strings.Contains(said[0], want) {
				t.Errorf("it said %q, want one line with %q", said, want)
			}
			if got := query(t, again, "select n from kept"); got != "1" {
				t.Errorf("the table holds %q", got)
			}
			stop(t, again)
			gone(t, again.PID(), again.DataDir())
		} else {
			// It cannot end in order, and the caller has no time.
			if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := Start(ctx, Options{Dir: dir})
			cancel()
			if err == nil || !strings.Contains(err.Error(), strconv.Itoa(cmd.Process.Pid)) {
				t.Errorf("start beside a Postgres that does not stop: %v", err)
			}
			if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
		<-ended
	}
}

// The number in a dead Postgres's files may be another process's by now.
func TestReusedPID(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	s := start(t, Options{Dir: dir})
	query(t, s, "create table kept as select 1 as n")
	pidPath := filepath.Join(s.DataDir(), "postmaster.pid")
	pid, err := os.ReadFile(pidPath)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)

	other := command(context.Background(), s.place.who, "/", "/bin/sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		other.Process.Kill()
		other.Wait()
	}()
	_, rest, _ := strings.Cut(string(pid), "\n")
	forged := []byte(strconv.Itoa(other.Process.Pid) + "\n" + rest)
	for path, mode := range map[string]os.FileMode{pidPath: 0o600, filepath.Join(s.SocketDir(), ".s.PGSQL.5432.lock"): 0o600} {
		if err := os.WriteFile(path, forged, mode); err != nil {
			t.Fatal(err)
		}
		if s.place.who.switched {
			if err := os.Chown(path, int(s.place.who.uid), int(s.place.who.gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = start(t, Options{Dir: dir})
	if got := query(t, s, "select n from kept"); got != "1" {
		t.Errorf("the table holds %q", got)
	}
	if !running(other.Process.Pid) {
		t.Error("the other process was hit")
	}
}

func TestInterruptedInitdb(t *testing.T) {
	t.Parallel()
	for name, interrupt := range map[string]func(t *testing.T, cmd *exec.Cmd){
		"kill -9": func(t *testing.T, cmd *exec.Cmd) { cmd.Process.Kill() },
		"Ctrl-C":  func(t *testing.T, cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			cmd, _ := startOwnerProcess(t, Options{Dir: dir})
			half := filepath.Join(dir, "postgres.init-*", "base")
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(pollEvery) {
				if m, err := filepath.Glob(half); err == nil && len(m) > 0 {
					break
				}
				if time.Now().After(end) {
					t.Fatal("initdb does not begin")
				}
			}
			interrupt(t, cmd)
			if err := wait(t, cmd); err == nil {
				t.Fatal("the owner ended well: it was not interrupted")
			}
			if _, err := os.Stat(filepath.Join(dir, "postgres")); !os.IsNotExist(err) {
				t.Fatalf("half a cluster is in its place: %v", err)
			}
			s := start(t, Options{Dir: dir})
			if got := query(t, s, "select 1"); got != "1" {
				t.Errorf("select 1 is %q", got)
			}
			if m, err := filepath.Glob(filepath.Join(dir, "postgres.init-*")); err != nil || len(m) > 0 {
				t.Errorf("the interrupted initdb left %v, %v", m, err)
			}
		})
	}
}

func TestForgottenEphemeralIsSwept(t *testing.T) {
	t.Parallel()
	parent := newDir(t)
	ow := startOwner(t, Options{Dir: parent, Ephemeral: true})
	forgotten := filepath.Dir(ow.data)
	if err := ow.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(t, ow.cmd)
	lived := start(t, Options{Dir: parent, Ephemeral: true})
	if _, err := os.Stat(forgotten); err != nil {
		t.Errorf("a directory of this minute was swept: %v", err)
	}
	old := time.Now().Add(-2 * sweepAge)
	for _, dir := range []string{forgotten, filepath.Dir(lived.DataDir())} {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t.Context(), parent, lived.place.who, func(m string) { t.Log(m) })
	if _, err := os.Stat(forgotten); !os.IsNotExist(err) {
		t.Errorf("the forgotten directory is still there: %v", err)
	}
	if got := query(t, lived, "select 1"); got != "1" {
		t.Errorf("select 1 is %q", got)
	}
	gone(t, ow.pid, ow.data)
}

// What depends on who runs it must hold for a user who is not root as well.
func TestAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // this is that run
	}
	exe, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := newDir(t)
	bin := filepath.Join(dir, "test")
	if err := os.WriteFile(bin, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.timeout=60s", "-test.run=ColdAndWarm|Ephemeral|Owner|Leftover|Interrupted|WhereTheCluster|MakeDir|AnotherVersion"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	dieWithParent(cmd, deathKill)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}
