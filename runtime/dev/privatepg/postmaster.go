package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	pollEvery  = 5 * time.Millisecond
	slowStart  = 3 * time.Second  // then say that it takes long
	orphanWait = 10 * time.Second // for backends that outlive their postmaster
	forceWait  = 10 * time.Second // for SIGQUIT, before SIGKILL
)

// postmaster is one run of Postgres, a child of this process.
type postmaster struct {
	pid  int
	cmd  *exec.Cmd
	done chan struct{}
	exit error // valid once done is closed
}

// spawn starts cmd and waits for it in a goroutine that ends with it.
//
// The kernel sends a child its parent-death signal when the thread that made it
// ends, and Go ends threads as it likes. So that goroutine keeps its thread.
func spawn(cmd *exec.Cmd) (*postmaster, error) {
	p := &postmaster{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.exit = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// launch starts a postmaster and waits until it accepts connections.
func (s *Server) launch(ctx context.Context) error {
	giveUp := time.Now().Add(orphanWait)
	for {
		err := s.launchOnce(ctx)
		// Backends notice the death of a postmaster only when they next wait for
		// something; until then the next one refuses to start, rightly.
		if err == nil || !strings.Contains(err.Error(), "pre-existing shared memory block") || time.Now().After(giveUp) {
			return err
		}
		if err := pause(ctx, 10*pollEvery); err != nil {
			return err
		}
	}
}

func (s *Server) launchOnce(ctx context.Context) error {
	if err := clearSocket(s.place.socket); err != nil {
		return err
	}
	log, err := openLog(s.place.logFile())
	if err != nil {
		return err
	}
	defer log.Close() // Postgres has its own descriptor
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("privatepg: find the end of the log: %w", err)
	}
	cmd := command(context.WithoutCancel(ctx), s.place.who, "/", s.bin.postgres, s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	dieWithParent(cmd, deathFastShutdown)
	pm, err := spawn(cmd)
	if err != nil {
		return fmt.Errorf("privatepg: run %s as %s: %w", s.bin.postgres, s.place.who, err)
	}
	if err := s.awaitReady(ctx, pm); err != nil {
		err = errors.Join(err, pm.stop(context.WithoutCancel(ctx), syscall.SIGQUIT))
		return fmt.Errorf("privatepg: Postgres did not start: %w\n%s: %s", err, s.place.logFile(), tailFrom(s.place.logFile(), before))
	}
	s.current.Store(pm)
	return nil
}

// awaitReady watches for the word that Postgres writes into its pid file, which
// costs nothing, and then has the socket confirm it.
func (s *Server) awaitReady(ctx context.Context, pm *postmaster) error {
	slow := time.Now().Add(slowStart)
	for {
		if f, err := readPIDFile(s.place.data); err == nil && f.pid == pm.pid && f.status == "ready" {
			return ping(ctx, filepath.Join(s.place.socket, fmt.Sprintf(".s.PGSQL.%d", port)))
		}
		select {
		case <-pm.done:
			return fmt.Errorf("it ended at once: %w", orClean(pm.exit))
		default:
		}
		if !slow.IsZero() && time.Now().After(slow) {
			slow = time.Time{}
			s.say("Postgres takes long to start, it is probably recovering from a crash; see " + s.place.logFile())
		}
		if err := pause(ctx, pollEvery); err != nil {
			return fmt.Errorf("it was not ready in time: %w", err)
		}
	}
}

func orClean(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// stop sends the signal and waits; when ctx ends, it forces. A postmaster that
// is gone already is fine.
func (p *postmaster) stop(ctx context.Context, sig syscall.Signal) error {
	if p.gone() {
		return nil
	}
	ctx, cancel := withDefaultTimeout(ctx, stopTimeout)
	defer cancel()
	if err := p.signal(sig); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	late := fmt.Errorf("privatepg: Postgres did not shut down in time and was forced to: %w", ctx.Err())
	if err := p.signal(syscall.SIGQUIT); err != nil {
		return err
	}
	t := time.NewTimer(forceWait)
	defer t.Stop()
	select {
	case <-p.done:
		return late
	case <-t.C:
		return errors.Join(late, p.kill())
	}
}

func (p *postmaster) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *postmaster) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("privatepg: signal Postgres: %w", err)
	}
	return nil
}

// kill ends the postmaster and its children, each of which has a process group
// of its own. Stopped first, it makes no more of them.
func (p *postmaster) kill() error {
	if p.gone() {
		return nil
	}
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	children, err := childrenOf(p.pid)
	if err := errors.Join(err, p.signal(syscall.SIGKILL)); err != nil {
		return err
	}
	<-p.done
	var errs []error
	for _, c := range children {
		if err := syscall.Kill(c, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("privatepg: kill a backend: %w", err))
		}
	}
	giveUp := time.Now().Add(forceWait)
	for _, c := range children {
		for running(c) {
			if time.Now().After(giveUp) {
				return errors.Join(append(errs, fmt.Errorf("privatepg: backend %d does not die", c))...)
			}
			time.Sleep(pollEvery)
		}
	}
	return errors.Join(errs...)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
