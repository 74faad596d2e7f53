//go:build unix && !linux

package privatepg

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// sunPath is how long the path of a Unix socket may be, without the final NUL.
const sunPath = 103

const (
	deathFastShutdown = syscall.SIGINT
	deathKill         = syscall.SIGKILL
)

// dieWithParent has no counterpart here: after a kill -9 Postgres runs on until
// the next start takes over.
func dieWithParent(*exec.Cmd, syscall.Signal) {}

// runsOn tells whether the process is the postmaster on the data directory, by
// its command line.
func runsOn(pid int, data string) answer {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return no // ps found no such process
		}
		return unknown
	}
	line := strings.TrimSpace(string(out))
	name, _, _ := strings.Cut(line, " -D ")
	switch {
	case !isPostgresName(name):
		return no
	case strings.Contains(line+" ", " -D "+data+" "):
		return yes
	}
	return unknown
}

func running(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func childrenOf(pid int) ([]int, error) {
	out, err := exec.Command("ps", "-axo", "pid=,ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("privatepg: list processes: %w", err)
	}
	var children []int
	for line := range strings.Lines(string(out)) {
		var id, parent int
		if _, err := fmt.Sscan(line, &id, &parent); err == nil && parent == pid {
			children = append(children, id)
		}
	}
	return children, nil
}
