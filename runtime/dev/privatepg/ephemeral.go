package privatepg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const ephemeralPrefix = "socialops-pg-"

// sweepAge keeps the sweep off directories whose owner has yet to lock them.
const sweepAge = time.Minute

// ephemeralDir makes a fresh directory, after removing those whose owners were
// killed before they could.
func ephemeralDir(ctx context.Context, o Options, who account, in install) (string, error) {
	parent := o.Dir
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err == nil {
		err = os.MkdirAll(parent, 0o755)
	}
	if err == nil {
		parent, err = filepath.EvalSymlinks(parent)
	}
	if err != nil {
		return "", fmt.Errorf("privatepg: the directory for an ephemeral cluster: %w", err)
	}
	if !who.reaches(ctx, parent, in) {
		parent = stateRoot
		if err := makeDir(parent, 0o711, account{}); err != nil {
			return "", err
		}
	}
	sweep(ctx, parent, who, o.Log)
	dir, err := os.MkdirTemp(parent, ephemeralPrefix)
	if err != nil {
		return "", fmt.Errorf("privatepg: make an ephemeral directory: %w", err)
	}
	if err := os.Chmod(dir, who.dirMode()); err != nil {
		return "", fmt.Errorf("privatepg: make an ephemeral directory: %w", err)
	}
	return dir, nil
}

// sweep is a kindness to the disk: whatever fails is left for the next start.
func sweep(ctx context.Context, parent string, who account, say func(string)) {
	dirs, err := filepath.Glob(filepath.Join(parent, ephemeralPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		fi, err := os.Lstat(dir)
		if err != nil || !fi.IsDir() || time.Since(fi.ModTime()) < sweepAge {
			continue
		}
		if st, ok := fi.Sys().(*syscall.Stat_t); !ok || st.Uid != uint32(os.Geteuid()) {
			continue
		}
		lock, err := lockDir(dir)
		if err != nil {
			continue
		}
		if stopLeftover(ctx, place{dir: dir, data: filepath.Join(dir, "postgres"), who: who}, say) == nil {
			if err := os.RemoveAll(dir); err != nil {
				say(fmt.Sprintf("a forgotten ephemeral cluster stays behind: %v", err))
			}
		}
		if err := lock.release(); err != nil {
			say(fmt.Sprintf("release a swept lock: %v", err))
		}
	}
}
