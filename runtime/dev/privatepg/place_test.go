package privatepg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereTheClusterIs(t *testing.T) {
	t.Parallel()
	root := os.Geteuid() == 0
	for _, c := range []struct {
		name   string
		parent os.FileMode // of the directory above the owner's
		dir    string
		away   bool // under stateRoot
	}{
		{"reachable", 0o711, "data", false},
		{"unreachable", 0o700, "data", root},
		{"long", 0o711, strings.Repeat("long/", 20) + "data", false},
		{"odd", 0o711, `a, "b" 'c' %d`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			parent := newDir(t)
			if err := os.Chmod(parent, c.parent); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(parent, c.dir)
			s := start(t, Options{Dir: dir})
			query(t, s, "create table kept as select 1 as n")
			if len(s.SocketDir()) > maxSocketDir {
				t.Errorf("the socket's directory is %s", s.SocketDir())
			}
			data, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
			if err != nil || data != s.DataDir() {
				t.Errorf("dir/postgres is %s, %v; the cluster is %s", data, err, s.DataDir())
			}
			if away := strings.HasPrefix(s.DataDir(), stateRoot+"/"+hash(dir)); away != c.away {
				t.Errorf("the cluster is %s", s.DataDir())
			}
			stop(t, s)
			if short := strings.HasPrefix(s.SocketDir(), s.place.base()); !short {
				if _, err := os.Stat(s.SocketDir()); !os.IsNotExist(err) {
					t.Errorf("the socket's directory stays: %v", err)
				}
			}

			// It is where it was, though the directory's mode is another now, and
			// goes along when the directory is moved.
			if c.away {
				if err := os.Chmod(parent, 0o711); err != nil {
					t.Fatal(err)
				}
			}
			moved := filepath.Join(parent, "moved")
			if err := os.Rename(dir, moved); err != nil {
				t.Fatal(err)
			}
			s = start(t, Options{Dir: moved})
			if got := query(t, s, "select n from kept"); got != "1" {
				t.Errorf("the table holds %q", got)
			}
			stop(t, s)
			if err := os.Chmod(parent, 0o700); err != nil {
				t.Fatal(err)
			}
			if !c.away {
				if !root {
					return
				}
				if _, err := Start(t.Context(), Options{Dir: moved}); err == nil || !strings.Contains(err.Error(), "cannot reach "+moved) {
					t.Errorf("a cluster that is no longer reachable: %v", err)
				}
				return
			}

			// A directory made again is empty, and its owner hears of the old data.
			var said []string
			s = start(t, Options{Dir: dir, Log: func(m string) { said = append(said, m) }})
			if got := query(t, s, "select count(*) from pg_class where relname = 'kept'"); got != "0" {
				t.Error("a directory made again has the old data")
			}
			if len(said) != 1 || !strings.Contains(said[0], stateRoot) {
				t.Errorf("it said %q", said)
			}
		})
	}
}

func TestMakeDirRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	file, link, open := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "open")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "not a directory", link: "not a directory", open: "", filepath.Join(dir, "new"): ""} {
		err := makeDir(path, 0o700, account{})
		if want == "" {
			if err != nil {
				t.Error(err)
			} else if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v", path, fi, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
