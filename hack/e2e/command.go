package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// command is a program to run. Secrets go through its environment or its input,
// never through its arguments.
type command struct {
	dir   string
	env   []string // added to this process's own
	input io.Reader
	loud  bool // shows what it says on standard error while it runs
	args  []string
}

// output runs the command and returns what it printed on its standard output. Its
// error ends with what it printed on the other one.
func (c command) output(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Stdin = c.dir, c.input
	cmd.Env = append(os.Environ(), c.env...)
	// A terminal's Ctrl-C is for this process, which ends its own in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if c.loud {
		cmd.Stderr = io.MultiWriter(&said, os.Stderr)
	}
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), err, lastLines(said.String(), 30))
	}
	return out.String(), nil
}

// lastLines is the end of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// joinLines puts lines under an indented heading.
func joinLines(lines []string) string { return strings.Join(lines, "\n  ") }
