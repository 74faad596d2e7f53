package dev

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// browse opens an address in the browser of whoever sits at this machine, if
// there is a display.
func browse(url string) error {
	opener := displayOpener(runtime.GOOS, os.Getenv)
	if opener == "" {
		return nil
	}
	cmd := exec.CommandContext(context.Background(), opener, url) // which outlives us
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}          // so that Ctrl-C is for us alone
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening %s: %w", url, err)
	}
	return cmd.Process.Release() //nolint:wrapcheck // fails only for a process that was not started
}

// displayOpener is the program that opens addresses; none where nobody would see it.
func displayOpener(system string, env func(string) string) string {
	switch {
	case system == "darwin" && env("SSH_CONNECTION") == "":
		return "open"
	case system != "darwin" && (env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != ""):
		return "xdg-open"
	}
	return ""
}
