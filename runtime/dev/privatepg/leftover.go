package privatepg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pidFile is what Postgres writes into DATA/postmaster.pid.
type pidFile struct {
	pid    int
	status string // starting, ready, stopping, standby
}

func readPIDFile(data string) (pidFile, error) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	lines := strings.Split(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{}, fmt.Errorf("%s/postmaster.pid: %w", data, err)
	}
	f := pidFile{pid: pid}
	if len(lines) > 7 {
		f.status = strings.TrimSpace(lines[7])
	}
	return f, nil
}

// stopLeftover takes over from a Postgres that an earlier process left on the
// data: it shuts it down in order, and the caller starts its own.
//
// It could go on with the one that runs, but only a child carries the
// parent-death signal, is waited for, has these settings and logs to this log;
// and after a kill -9 the leftover has got that signal and is about to end.
//
// The caller holds the directory's lock, so no living socialops owns it.
func stopLeftover(ctx context.Context, p place, say func(string)) error {
	f, err := readPIDFile(p.data)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("privatepg: look for a Postgres left running: %w", err)
	}
	switch runsOn(f.pid, p.data) {
	case no:
		return removeStale(f.pid, p)
	case unknown:
		return fmt.Errorf("privatepg: process %d may be a Postgres on %s, and this user cannot tell: stop it, or start as root", f.pid, p.data)
	}
	say(fmt.Sprintf("taking over from the Postgres that was left running, pid %d", f.pid))
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{syscall.SIGINT, stopTimeout / 2}, {syscall.SIGQUIT, forceWait}, {syscall.SIGKILL, forceWait}} {
		if err := syscall.Kill(f.pid, step.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("privatepg: stop the Postgres left running, pid %d: %w", f.pid, err)
		}
		for end := time.Now().Add(step.wait); time.Now().Before(end); {
			if runsOn(f.pid, p.data) == no {
				return nil
			}
			if err := pause(ctx, pollEvery); err != nil {
				return fmt.Errorf("privatepg: the Postgres left running, pid %d, did not stop in time: %w", f.pid, err)
			}
		}
	}
	return fmt.Errorf("privatepg: the Postgres left running, pid %d, does not stop", f.pid)
}

// removeStale removes the pid file of a dead Postgres where its number has been
// given to another process since: Postgres would take that for its rival. Where
// the number is free the file stays, for Postgres knows best what to do with it.
func removeStale(pid int, p place) error {
	if !running(pid) {
		return nil
	}
	if err := os.Remove(filepath.Join(p.data, "postmaster.pid")); err != nil {
		return fmt.Errorf("privatepg: remove a stale pid file: %w", err)
	}
	return nil
}

// clearSocket removes what a dead Postgres left in the socket's directory, for
// the same reason. It is private and no Postgres runs on the data.
func clearSocket(dir string) error {
	name := filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", port))
	for _, f := range []string{name, name + ".lock"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("privatepg: remove a stale socket: %w", err)
		}
	}
	return nil
}

// answer is no, yes or unknown.
type answer int

const (
	no answer = iota
	yes
	unknown
)

func isPostgresName(argv0 string) bool {
	base := filepath.Base(argv0)
	return base == "postgres" || base == "postmaster"
}
