//go:build long && linux

package badday

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a socialops that runs, in a process group of its own as a shell
// would give it.
type process struct {
	t        testing.TB
	name     string
	cmd      *exec.Cmd
	out, log *output
	done     chan struct{} // closed when it has ended
}

// options say how a process is started.
type options struct {
	env []string
	as  *syscall.Credential // nil: as this user
	// terse leaves what it says to the test to tell, should that fail.
	terse bool
}

// start starts the binary. Whatever the test does, neither the process nor its
// children outlive it.
func start(t testing.TB, o options, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: args[0], out: newOutput(), log: newOutput(), done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = append(environment(), o.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	p.cmd.WaitDelay = patience
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: o.as}
	started := make(chan error)
	go func() {
		// The kernel sends the signal of Pdeathsig when the thread ends that started the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in ProcessState
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	t.Cleanup(func() {
		family := p.family()
		p.kill()
		family.awaitEnd(t)
		if strings.Contains(p.log.String(), "WARNING: DATA RACE") || strings.Contains(p.log.String(), "a handler panicked") {
			t.Errorf("%s went wrong inside:\n%s", p.name, p.log)
		}
		if t.Failed() && !o.terse {
			t.Logf("%s said:\n%s\nand logged:\n%s", p.name, p.out.tail(), p.log.tail())
		}
	})
	return p
}

// environment is this process's own, less what would configure a socialops.
func environment() []string {
	env := []string{"GORACE=atexit_sleep_ms=10"} // a second for each command adds up
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "SOCIALOPS_") || strings.HasPrefix(name, "DATABASE_") || strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "PG") {
			continue
		}
		env = append(env, v)
	}
	return env
}

// command runs the binary to its end and gives its exit status.
func command(t testing.TB, o options, args ...string) (p *process, status int) {
	t.Helper()
	o.terse = true
	p = start(t, o, args...)
	return p, p.wait()
}

// wait gives the exit status, -1 when a signal ended the process.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end; it logged:\n%s", p.name, p.log.tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// signal sends a signal to the process alone.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("sending %s to %s: %v", s, p.name, err)
	}
}

// interrupt is Ctrl-C: the terminal sends it to the whole process group.
func (p *process) interrupt() {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		p.t.Fatalf("interrupting %s: %v", p.name, err)
	}
}

// kill is kill -9, and returns when the process is gone.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
}

// peak is the most memory that the process had at once, in bytes.
func (p *process) peak() int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		p.t.Fatal("the kernel does not tell VmHWM")
	}
	kB, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return kB << 10
}

// awaitLog waits for a line of the log and gives what the pattern's groups match.
func (p *process) awaitLog(pattern string) []string {
	p.t.Helper()
	return p.await(p.log, pattern)
}

// awaitOut is [process.awaitLog] for what it says to a person.
func (p *process) awaitOut(pattern string) []string {
	p.t.Helper()
	return p.await(p.out, pattern)
}

func (p *process) await(o *output, pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		text, changed := o.now()
		if m := re.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-changed:
		case <-p.done:
			if text, _ := o.now(); !re.MatchString(text) {
				p.t.Fatalf("%s ended with status %d before it said %q:\n%s", p.name, p.cmd.ProcessState.ExitCode(), pattern, p.log.tail())
			}
		case <-late:
			p.t.Fatalf("%s has not said %q:\n%s\n%s", p.name, pattern, p.out.tail(), p.log.tail())
		}
	}
}

// output is what a process writes.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed by the next write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

var _ io.Writer = (*output)(nil)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(b)
}

func (o *output) now() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

func (o *output) String() string { text, _ := o.now(); return text }

func (o *output) tail() string {
	text := o.String()
	return text[max(0, len(text)-6<<10):]
}

// family is a process's descendants, each with when it began: numbers are used again.
type family map[int]string

// family lists the children of the process, and theirs.
func (p *process) family() family {
	parents, began := map[int]int{}, map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if f := stat(pid); f != nil {
			parents[pid], _ = strconv.Atoi(f[1])
			began[pid] = f[19]
		}
	}
	list := family{}
	for pid := range parents {
		for up := parents[pid]; up > 1; up = parents[up] {
			if up == p.cmd.Process.Pid {
				list[pid] = began[pid]
				break
			}
		}
	}
	return list
}

// stat is the fields of /proc/PID/stat after the name: state, parent, …; nil when there is no such process.
func stat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return nil
	}
	return f
}

// alive lists those that still run.
func (f family) alive() []int {
	var left []int
	for pid, began := range f {
		if now := stat(pid); now != nil && now[19] == began {
			left = append(left, pid)
		}
	}
	return left
}

// awaitEnd waits until none is left, as after a kill -9 the children end by themselves.
func (f family) awaitEnd(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	for len(f.alive()) > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("processes %v were left running", f.alive())
		}
	}
}
