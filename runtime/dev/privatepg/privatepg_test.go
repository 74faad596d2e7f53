package privatepg

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestColdAndWarmStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(newDir(t), "made", "data")
	s := start(t, Options{Dir: dir, Settings: map[string]string{"work_mem": "7MB"}})
	query(t, s, "create table kept as select 'grüße' as word")
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "max_connections": "100", "work_mem": "7MB", "server_encoding": "UTF8",
	} {
		if got := query(t, s, "show "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query(t, s, "select upper('grüße')"); got != "GRÜSSE" && got != "GRÜßE" {
		t.Errorf("upper of a word in UTF-8 is %q", got)
	}
	for _, d := range []string{s.SocketDir(), s.DataDir()} {
		fi, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", d, fi.Mode())
		}
	}
	stop(t, s)
	stop(t, s)
	gone(t, s.PID(), s.DataDir())
	<-s.Done()

	s = start(t, Options{Dir: dir})
	if got := query(t, s, "select word from kept"); got != "grüße" {
		t.Errorf("after a warm start the table holds %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err == nil || !strings.Contains(err.Error(), "forced") {
		t.Errorf("stop without time: %v, want it to say that it forced Postgres", err)
	}
	gone(t, s.PID(), s.DataDir())
}

func TestEphemeral(t *testing.T) {
	t.Parallel()
	parent := newDir(t)
	s := start(t, Options{Dir: parent, Ephemeral: true, Settings: map[string]string{"fsync": "on"}})
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_connections": "200",
	} {
		if got := query(t, s, "show "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	query(t, s, `create role "so_a b/c@d" login`)
	query(t, s, `create database "d?1 &"`)
	if got := queryAs(t, s.DSN("so_a b/c@d", "d?1 &"), "select current_user || ' in ' || current_database()"); got != "so_a b/c@d in d?1 &" {
		t.Errorf("connected as %q", got)
	}
	stop(t, s)
	left, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("Stop left %v", left)
	}
}

func TestKillAndRestartKeepWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: newDir(t), Ephemeral: true, Settings: map[string]string{"synchronous_commit": "on"}})
	query(t, s, "create table counted (n int)")
	socket, want := s.SocketDir(), ""
	for i, end := range []func() error{
		s.Kill,
		func() error { return nil }, // Restart itself ends it, fast
		func() error { return s.Restart(t.Context(), "immediate") },
		// The postmaster alone, from outside, while a backend is busy.
		func() error {
			busy := make(chan struct{})
			go func() {
				defer close(busy)
				c, err := pgx.Connect(t.Context(), s.DSN(Superuser, "postgres"))
				if err == nil {
					c.Exec(t.Context(), "select pg_sleep(60)") // dies with its connection
				}
			}()
			for query(t, s, "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()") != "1" {
			}
			err := syscall.Kill(s.PID(), syscall.SIGKILL)
			<-busy
			return err
		},
	} {
		query(t, s, "insert into counted values (1)")
		want += ",1"
		old, done := s.PID(), s.Done()
		if err := end(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if err := s.Restart(t.Context(), "fast"); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		<-done
		if s.PID() == old || s.SocketDir() != socket {
			t.Errorf("%d: pid %d, then %d; socket %s, then %s", i, old, s.PID(), socket, s.SocketDir())
		}
		if got := query(t, s, "select n from counted"); got != want[1:] {
			t.Errorf("%d: the table holds %q, want %q", i, got, want[1:])
		}
	}
	if err := s.Restart(t.Context(), "smart"); err == nil {
		t.Error("an unknown mode is accepted")
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	stop(t, s) // of a dead one
	if err := s.Restart(t.Context(), "fast"); err == nil {
		t.Error("a stopped server restarts")
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	for setting, value := range map[string]string{"listen_addresses": "*", "PORT": "1", "shared_buffers": "plenty", "no_such_setting": "1"} {
		_, err := Start(t.Context(), Options{Dir: dir, Settings: map[string]string{setting: value}})
		// Refused here, or by Postgres, whose log is then quoted.
		if err == nil || !strings.Contains(err.Error(), strings.ToLower(setting)) {
			t.Errorf("the error is %v, want it to name the setting", err)
		}
	}
	s := start(t, Options{Dir: dir}) // none of them left a lock or a cluster that is not whole
	stop(t, s)
}
