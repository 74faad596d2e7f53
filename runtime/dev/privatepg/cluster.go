package privatepg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// createCluster runs initdb beside the cluster's place and renames the result, so
// that what is at the place is whole or nothing. The caller holds the lock.
func createCluster(ctx context.Context, in install, p place, ephemeral bool) error {
	halves, err := filepath.Glob(filepath.Join(p.base(), "postgres.init-*"))
	if err != nil {
		return fmt.Errorf("privatepg: look for an interrupted initdb: %w", err)
	}
	for _, half := range halves {
		if err := os.RemoveAll(half); err != nil {
			return fmt.Errorf("privatepg: remove what an interrupted initdb left: %w", err)
		}
	}
	tmp, err := os.MkdirTemp(p.base(), "postgres.init-")
	if err != nil {
		return fmt.Errorf("privatepg: make the cluster's directory: %w", err)
	}
	defer os.RemoveAll(tmp) // gone after the rename
	if p.who.switched {
		if err := os.Lchown(tmp, int(p.who.uid), int(p.who.gid)); err != nil {
			return fmt.Errorf("privatepg: hand the cluster's directory to %s: %w", p.who, err)
		}
	}

	args := append([]string{"-D", tmp, "-U", Superuser, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"}, locale(in.major)...)
	if ephemeral {
		args = append(args, "--no-sync")
	}
	var out bytes.Buffer
	cmd := command(ctx, p.who, "/", in.initdb, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	dieWithParent(cmd, deathKill)
	// dieWithParent is about the thread that starts the command, see spawn.
	runtime.LockOSThread()
	err = cmd.Run()
	runtime.UnlockOSThread()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("privatepg: initdb as %s: %w\n%s", p.who, err, lastLines(out.Bytes()))
	}
	if err := os.Rename(tmp, p.data); err != nil {
		return fmt.Errorf("privatepg: put the new cluster in its place: %w", err)
	}
	if ephemeral {
		return nil
	}
	return syncDir(p.base())
}

// locale sorts by bytes and knows every script's letters, the same on every
// machine: an index made here is right elsewhere.
func locale(major int) []string {
	switch {
	case major >= 17:
		return []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	case runtime.GOOS == "darwin":
		return []string{"--locale=C", "--lc-ctype=UTF-8"}
	default:
		return []string{"--locale=C.UTF-8"}
	}
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err == nil {
		err = f.Sync()
		f.Close()
	}
	if err != nil {
		return fmt.Errorf("privatepg: write the new cluster to disk: %w", err)
	}
	return nil
}
