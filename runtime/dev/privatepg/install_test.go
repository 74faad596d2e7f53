package privatepg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChooseInstall(t *testing.T) {
	t.Parallel()
	have := []install{{major: 16, postgres: "a"}, {major: 18, postgres: "b"}}
	for _, c := range []struct {
		major     int
		want, err string
	}{
		{0, "a", ""},
		{16, "a", ""},
		{18, "b", ""},
		{15, "", "the data in DATA is of Postgres 15, but this machine has 16 and 18: install Postgres 15"},
	} {
		got, err := chooseInstall(have, c.major, "DATA")
		if got.postgres != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%d: %q, %v", c.major, got.postgres, err)
		}
	}
}

func TestStartRefusesAnotherVersionsData(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	data := filepath.Join(dir, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	who, err := defaultAccount()
	if err != nil {
		t.Fatal(err)
	}
	if who.switched {
		if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "belongs to root") {
			t.Errorf("root's own cluster: the error is %v", err)
		}
		if err := os.Chown(data, int(who.uid), int(who.gid)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "install Postgres 99") {
		t.Errorf("the error is %v", err)
	}
}

func TestClusterMajor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int
		err   string
	}{
		{"missing", nil, 0, ""},
		{"empty", map[string]string{}, 0, ""},
		{"fifteen", map[string]string{"PG_VERSION": "15\n"}, 15, ""},
		{"something else", map[string]string{"notes.txt": "mine"}, 0, "no Postgres cluster"},
		{"damaged", map[string]string{"PG_VERSION": "?\n"}, 0, "not a version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(newDir(t), "data")
			if c.files != nil {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := clusterMajor(dir)
			if got != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
}

func TestNoPostgres(t *testing.T) {
	// Neither PATH nor the places of packages have one: an old one is no use.
	dir := newDir(t)
	t.Setenv("PATH", dir)
	before := packageDirs
	packageDirs = nil
	defer func() { packageDirs = before }()
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "no Postgres 15 or newer found: install it") || !strings.Contains(err.Error(), "version 14, older than 15") {
		t.Errorf("the error is %v", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(newDir(t), "log")
	for _, c := range []struct {
		name   string
		before int
		kept   int64
	}{{"small", 100, 100}, {"at the bound", maxLog, maxLog}, {"large", maxLog + 1, 0}} {
		if err := os.WriteFile(path, make([]byte, c.before), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := openLog(path)
		if err != nil {
			t.Fatal(err)
		}
		fi, err := f.Stat()
		if err != nil || fi.Size() != c.kept {
			t.Errorf("%s: %d bytes, %v, want %d", c.name, fi.Size(), err, c.kept)
		}
		f.Close()
	}
	if err := os.WriteFile(path, []byte("old\n"+strings.Repeat("a line\n", 2000)+"the last\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := tailFrom(path, 4), strings.Repeat("a line\n", quoteRows-1)+"the last"; got != want {
		t.Errorf("the tail is %q", got)
	}
	if got := tailFrom(path, 4+2000*7); got != "the last" {
		t.Errorf("the tail from the last line is %q", got)
	}
}
