package privatepg

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// sunPath is how long the path of a Unix socket may be, without the final NUL.
const sunPath = 107

const (
	deathFastShutdown = syscall.SIGINT
	deathKill         = syscall.SIGKILL
)

// dieWithParent has the kernel signal the command when the thread that started
// it ends, as it does when this process is killed.
func dieWithParent(cmd *exec.Cmd, sig syscall.Signal) { cmd.SysProcAttr.Pdeathsig = sig }

// runsOn tells whether the process is the postmaster on the data directory.
// Postgres makes that its working directory; where another user's is hidden, its
// command line has to do.
func runsOn(pid int, data string) answer {
	proc := fmt.Sprintf("/proc/%d", pid)
	b, err := os.ReadFile(proc + "/cmdline")
	if err != nil || len(b) == 0 { // gone, or a zombie
		return no
	}
	argv := strings.Split(string(b), "\x00")
	if !isPostgresName(argv[0]) {
		return no
	}
	if cwd, err := os.Readlink(proc + "/cwd"); err == nil {
		if cwd == data {
			return yes
		}
		return no
	}
	if slices.Contains(argv, data) {
		return yes
	}
	if !running(pid) {
		return no
	}
	return unknown
}

// running is false for a zombie, which holds nothing any more.
func running(pid int) bool {
	state, _, ok := stat(pid)
	return ok && state != 'Z' && state != 'X'
}

func childrenOf(pid int) ([]int, error) {
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("privatepg: list processes: %w", err)
	}
	var children []int
	for _, p := range procs {
		id, err := strconv.Atoi(filepath.Base(p))
		if err != nil {
			continue
		}
		if _, parent, ok := stat(id); ok && parent == pid {
			children = append(children, id)
		}
	}
	return children, nil
}

// stat reads state and parent from /proc/PID/stat, where they follow the name,
// which is in parentheses and may hold some itself.
func stat(pid int) (state byte, parent int, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 2 || len(f[0]) != 1 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(string(f[1]))
	return f[0][0], parent, err == nil
}
