package privatepg

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// stateRoot is where root keeps clusters of directories that the Postgres user
// cannot reach, as /root and what mktemp makes are 0700. A variable for tests.
var stateRoot = "/var/lib/socialops"

// maxSocketDir leaves room for "/.s.PGSQL.5432" in the 107 bytes of sun_path
// (103 where the system is not Linux).
const maxSocketDir = sunPath - len("/.s.PGSQL.5432")

// place is where one private Postgres lives and as whom it runs.
//
// The directories of cluster and socket are 0700 and belong to the account that
// Postgres runs as: this is all the authentication there is ("trust"). Only that
// account and root get in; that account could read the data files anyway, and
// when it is not the caller's own, the caller is root.
type place struct {
	dir    string // the owner's data directory
	data   string // the cluster: dir/postgres, or where that link points
	socket string
	who    account
}

// base holds the cluster and what is made beside it.
func (p place) base() string    { return filepath.Dir(p.data) }
func (p place) logFile() string { return filepath.Join(p.dir, "postgres.log") }

// ownersDir makes the owner's directory and returns its one true path, so that two
// names of it are one lock.
func ownersDir(ctx context.Context, o Options, who account, in install) (string, error) {
	if o.Ephemeral {
		return ephemeralDir(ctx, o, who, in)
	}
	if o.Dir == "" {
		return "", errors.New("privatepg: Options.Dir is empty: name a data directory")
	}
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", fmt.Errorf("privatepg: data directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil {
		return "", fmt.Errorf("privatepg: make the data directory's parent: %w", err)
	}
	if err := os.Mkdir(abs, who.dirMode()); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("privatepg: make the data directory: %w", err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("privatepg: data directory: %w", err)
	}
	return real, nil
}

// locate decides where dir's cluster is. Once made it stays there: the link
// dir/postgres, not the directory's mode of today, says where.
func locate(ctx context.Context, dir string, who account, in install, say func(string)) (place, error) {
	p := place{dir: dir, data: filepath.Join(dir, "postgres"), who: who}
	if target, err := os.Readlink(p.data); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		p.data = target
		if err := os.MkdirAll(p.base(), who.dirMode()); err != nil {
			return p, fmt.Errorf("privatepg: make the directory that %s/postgres points to: %w", dir, err)
		}
		if p.data, err = resolve(p.data); err != nil {
			return p, err
		}
	} else if !exists(p.data) && !who.reaches(ctx, dir, in) {
		home, err := newHome(dir, say)
		if err != nil {
			return p, err
		}
		data := filepath.Join(home, "postgres")
		if err := os.Symlink(data, p.data); err != nil {
			return p, fmt.Errorf("privatepg: link the cluster: %w", err)
		}
		p.data = data
	}
	if !exists(p.data) {
		return p, nil
	}
	var err error
	if p.who, err = who.orOwnerOf(p.data); err != nil {
		return p, err
	}
	if !p.who.reaches(ctx, p.data, in) {
		return p, fmt.Errorf("privatepg: %s cannot reach %s: give the directories above it the mode o+x, or move %s to a directory that it can reach and link it back", p.who, p.data, p.data)
	}
	return p, nil
}

// resolve follows links in a path whose last element may not exist yet.
func resolve(path string) (string, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("privatepg: follow the cluster's link: %w", err)
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}

// newHome makes a directory for dir's cluster under stateRoot. Its name begins
// with the hash of dir and ends at random: a directory that was removed and made
// again starts empty, and one that was moved keeps what is its own.
func newHome(dir string, say func(string)) (string, error) {
	if err := makeDir(stateRoot, 0o711, account{}); err != nil {
		return "", err
	}
	stem := filepath.Join(stateRoot, hash(dir))
	if old, err := filepath.Glob(stem + "-*"); err == nil && len(old) > 0 {
		say(fmt.Sprintf("%s was removed or moved earlier; its old clusters remain, remove them if nobody needs them: %s", dir, strings.Join(old, " ")))
	}
	home := stem + "-" + rand.Text()[:8]
	return home, makeDir(home, 0o711, account{})
}

func hash(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:8])
}

// socketDir makes the directory of the socket, the first candidate whose path
// fits into a socket address.
func socketDir(p place) (string, error) {
	name := "socialops-" + hash(p.data)
	var candidates []string
	if p.who.switched {
		candidates = []string{filepath.Join(p.base(), "run"), filepath.Join(stateRoot, name)}
	} else {
		name = fmt.Sprintf("%s-%d", name, os.Getuid())
		candidates = []string{filepath.Join(p.base(), "run"), filepath.Join(os.TempDir(), name), filepath.Join("/tmp", name)}
		if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
			candidates = append(candidates[:1], append([]string{filepath.Join(run, name)}, candidates[1:]...)...)
		}
	}
	var errs []error
	for _, dir := range candidates {
		// A comma separates hosts in a connection string.
		if len(dir) > maxSocketDir || strings.ContainsAny(dir, ",\"\n") {
			continue
		}
		if p.who.switched && filepath.Dir(dir) == stateRoot {
			if err := makeDir(stateRoot, 0o711, account{}); err != nil {
				return "", err
			}
		}
		if err := makeDir(dir, 0o700, p.who); err != nil {
			errs = append(errs, err)
			continue
		}
		return dir, nil
	}
	return "", fmt.Errorf("privatepg: no directory for the socket: %w", errors.Join(errs...))
}

// makeDir makes one directory of the given mode and owner, or checks that what
// is there is a directory and nobody else's: its parent may be /tmp.
func makeDir(dir string, mode os.FileMode, who account) error {
	err := os.Mkdir(dir, mode)
	if err != nil && !os.IsExist(err) {
		return fmt.Errorf("privatepg: make a directory: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("privatepg: look at a directory: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || !ok {
		return fmt.Errorf("privatepg: %s is not a directory: move it away", dir)
	}
	me := uint32(os.Geteuid())
	if st.Uid != me && (!who.switched || st.Uid != who.uid) {
		return fmt.Errorf("privatepg: %s belongs to user id %d, not to this process's: move it away", dir, st.Uid)
	}
	if st.Uid == me && fi.Mode().Perm() != mode {
		if err := os.Chmod(dir, mode); err != nil {
			return fmt.Errorf("privatepg: set a directory's mode: %w", err)
		}
	}
	if who.switched {
		if err := os.Lchown(dir, int(who.uid), int(who.gid)); err != nil {
			return fmt.Errorf("privatepg: hand a directory to %s: %w", who, err)
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
