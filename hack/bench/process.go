package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a running socialops command.
type process struct {
	name   string
	cmd    *exec.Cmd
	log    *os.File
	health string
	api    string // base URL of the alias, of a runtime
	begun  time.Time
	ready  time.Duration // from start to ready
	exited chan struct{}
	err    error // once exited
}

const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
	readyPoll  = 2 * time.Millisecond
)

// launch starts a command of bin/socialops and waits until it is ready.
func (b *bench) launch(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	p, err := b.spawn(ctx, env, name, args...)
	if err != nil {
		return nil, err
	}
	if err := p.waitReady(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// spawn starts a command of bin/socialops.
func (b *bench) spawn(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	health, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, health: "http://" + health, exited: make(chan struct{})}
	p.log, err = os.Create(filepath.Join(b.dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("making the log of the %s: %w", name, err)
	}
	// It is stopped in order, not killed with ctx.
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(b.bin, "socialops"), append([]string{name, "--health-listen", health}, args...)...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// The terminal's Ctrl-C is for the bench, which stops its processes in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.begun = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the %s: %w", name, err), p.log.Close())
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.health+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("asking the %s whether it is ready: %w", p.name, err)
		}
		if answer, err := client.Do(r); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4096))
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				p.ready = time.Since(p.begun)
				return nil
			}
		}
		select {
		case <-p.exited:
			return fmt.Errorf("the %s ended: %w\n%s", p.name, p.err, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("waiting for the %s to be ready: %w\n%s", p.name, ctx.Err(), p.lastWords())
		case <-time.After(readyPoll):
		}
	}
}

// stop ends the process in order, and fails when it did not end well.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	_ = p.log.Close() // nobody writes to it any more
	if p.err != nil {
		return fmt.Errorf("the %s ended badly: %w\n%s", p.name, p.err, p.lastWords())
	}
	return nil
}

// lastWords is the end of the process's log.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	if n := len(text) - 2000; n > 0 {
		text = text[n:]
	}
	return strings.TrimSpace(string(text))
}

// runtime starts the inbox's server as it is run in production, but for its port.
func (b *bench) runtime(ctx context.Context) (*process, error) {
	listen, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.launch(ctx, []string{"DATABASE_URL=" + b.dsn(b.tenant.role)}, "runtime", "--alias", alias, "--listen", listen)
	if err != nil {
		return nil, err
	}
	p.api = "http://" + listen + "/v1/apps/socialops/" + alias
	return p, nil
}

// freePort finds a port that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().String(), nil
}
