package privatepg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom Postgres runs as: this process's own user, or, since Postgres
// refuses to be root, another one when this process is root. The zero account
// stands for this process.
type account struct {
	switched bool
	name     string
	uid, gid uint32
}

func defaultAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	// The package's own user first. nobody is shared with other daemons, but it
	// exists everywhere.
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return account{}, errors.New("privatepg: Postgres refuses to run as root and there is no user to run it as: add one named postgres (`useradd --system postgres`)")
}

func accountOf(u *user.User) (account, error) {
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return account{}, fmt.Errorf("privatepg: the ids of user %s: %w", u.Username, err)
	}
	return account{switched: true, name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// orOwnerOf is the account for an existing cluster: its owner, so that root can
// start what a user made, or what was made before a postgres user existed.
func (a account) orOwnerOf(data string) (account, error) {
	fi, err := os.Stat(data)
	if err != nil {
		return a, fmt.Errorf("privatepg: look at the cluster: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || !a.switched || st.Uid == a.uid {
		return a, nil
	}
	if st.Uid == 0 {
		return a, fmt.Errorf("privatepg: %s belongs to root, as which Postgres refuses to run: `chown -R %s` it, or move it away", data, a.name)
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(st.Uid), 10))
	if err != nil {
		return a, fmt.Errorf("privatepg: %s belongs to user id %d, who does not exist here: `chown -R %s` it", data, st.Uid, a.name)
	}
	return accountOf(u)
}

func (a account) String() string {
	if a.switched {
		return "user " + a.name
	}
	return "this user"
}

// dirMode is the mode of a directory on the way to the cluster: another user
// must get through it, but need not look around.
func (a account) dirMode() os.FileMode {
	if a.switched {
		return 0o711
	}
	return 0o700
}

// reaches tries it rather than reading modes: access lists and mounts count too.
func (a account) reaches(ctx context.Context, dir string, in install) bool {
	if !a.switched {
		return true
	}
	return command(ctx, a, dir, in.postgres, "--version").Run() == nil
}

// command runs a Postgres binary as the account. It gets a small environment:
// another user's process may be read by that user, and PG* would change its ways.
func command(ctx context.Context, a account, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = forceWait // a grandchild may hold the pipe of a killed command
	cmd.Env = []string{"LC_ALL=C"}
	for _, k := range []string{"PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(k); ok {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	// A group of its own keeps the terminal's Ctrl-C for this process, which then
	// stops Postgres after everything that uses it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return cmd
}
