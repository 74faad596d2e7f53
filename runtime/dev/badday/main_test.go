//go:build long && linux

// Package badday holds the tests of bad days: the real binary is started as a
// user starts it, loaded, killed, and cut off from its database. Whatever
// happens, an event that was answered 2xx is there once and charged once.
//
// The package has no code of its own. /proc tells what a process left behind and
// how much memory it took, so the tests run on Linux.
package badday

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

// patience bounds each wait. It is for machines that do ten other things.
const patience = 90 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// Not in the user's own folder: another user starts it too.
	dir, err := os.MkdirTemp("/tmp", "socialops-badday-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "socialops")
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if raced {
		args = append(args, "-race") // what is tested for races is tested so in its own process too
	}
	build := exec.Command("go", append(args, "github.com/open4x/socialops")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the binary:", err)
		return 1
	}
	return m.Run()
}
