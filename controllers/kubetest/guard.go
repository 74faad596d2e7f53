package kubetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// guard ends the servers with the process that started them. A test that panics runs
// nobody's deferred calls, and envtest's servers would outlive it.
//
// It is a process that reads what nobody writes: when the other end of the pipe is
// closed, by [guard.end] or by this process's death, it kills the servers that still
// run and removes their folder.
type guard struct {
	dir  string
	cmd  *exec.Cmd
	life io.Closer
}

const guardScript = `
read -r nothing
for file in "$1"/*.pid; do
	[ -f "$file" ] || continue
	pid=$(cat "$file")
	# By now it may be another process's. Both servers' arguments name the folder.
	if [ ! -d /proc/self ] || grep -qaF -e "$1" "/proc/$pid/cmdline" 2>/dev/null; then
		kill -KILL "$pid"
	fi
done
rm -rf "$1"
`

func newGuard(dir string) (*guard, error) {
	// Not bound to a context: it ends last.
	g := &guard{dir: dir, cmd: exec.Command("/bin/sh", "-c", guardScript, "sh", dir)} //nolint:noctx // see above
	// Out of the reach of the terminal's Ctrl-C.
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if g.life, err = g.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("making the guard of the API server: %w", err)
	}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the guard of the API server: %w", err)
	}
	return g, nil
}

// command is a command that runs a server under the guard's eye.
func (g *guard) command(bin, name string) (string, error) {
	path := filepath.Join(g.dir, name+".sh")
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = --help ] || echo $$ >%s\nexec %s \"$@\"\n",
		quoted(filepath.Join(g.dir, name+".pid")), quoted(filepath.Join(bin, name)))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		return "", fmt.Errorf("writing the command of %s: %w", name, err)
	}
	return path, nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// end is to be called once the servers were stopped.
func (g *guard) end() error {
	pids, err := filepath.Glob(filepath.Join(g.dir, "*.pid"))
	if err != nil {
		return fmt.Errorf("looking for servers that still run: %w", err)
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		// Nothing tells the guard whose these numbers are.
		for _, file := range pids {
			_ = os.Remove(file) // the folder goes with all that is in it
		}
	}
	_ = g.life.Close() // it may have ended
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("removing the API server's folder: %w", err)
	}
	return nil
}
