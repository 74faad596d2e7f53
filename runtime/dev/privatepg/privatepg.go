// Package privatepg runs a Postgres that belongs to one process: the dev mode's
// database, the tests' and the benchmarks'.
//
// Whoever starts `socialops dev` should need no database of their own, should
// lose nothing when the process is killed, and should find nothing left running
// afterwards. So a Server listens on a Unix socket in a private directory and
// on nothing else, runs as another user where the process is root (Postgres
// refuses to be root), dies in order with the process that started it, and takes
// over what an earlier process left behind on the same data.
//
// A data directory DIR holds:
//
//	DIR/lock           held with flock while a Server lives
//	DIR/postgres       the cluster, or a symbolic link to it (see place.go)
//	DIR/run            the socket, where its path is short enough
//	DIR/postgres.log   what Postgres says
//
// The package is a leaf, so that every room's tests may import it.
package privatepg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Superuser is the cluster's superuser. The socket's directory is the lock on
// the door (see place.go), so it needs no password; nor does any other role.
const Superuser = "postgres"

// port only names the socket's file: there is no TCP.
const port = 5432

const (
	startTimeout = 2 * time.Minute // crash recovery included
	stopTimeout  = time.Minute     // the last checkpoint included
)

// Options says where a private Postgres lives and how it is tuned.
type Options struct {
	// Dir is the owner's data directory, made if missing. With Ephemeral it is
	// the directory in which a fresh one is made; empty means os.TempDir().
	Dir string

	// Settings are further postgresql.conf settings; they win over the defaults.
	Settings map[string]string

	// Ephemeral is for tests: speed before durability, and Stop removes
	// everything. A test that kills Postgres and counts what was committed must
	// set synchronous_commit=on (and fsync=on, if it is to measure the disk).
	Ephemeral bool

	// Log is told what takes long or may surprise. Nil means silence.
	Log func(msg string)
}

// Server is a running Postgres. Its methods may be called from any goroutine.
type Server struct {
	place     place
	bin       install
	args      []string
	ephemeral bool
	say       func(string)
	lock      *dirLock

	mu      sync.Mutex // one of Stop, Kill and Restart at a time
	stopped bool
	stopErr error
	current atomic.Pointer[postmaster]
}

// Start starts Postgres on o.Dir, creating the cluster if there is none, and
// returns once it accepts connections. ctx bounds the start, not the server's
// life: that ends with Stop, or with this process.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	ctx, cancel := withDefaultTimeout(ctx, startTimeout)
	defer cancel()

	settings, err := settingsOf(o)
	if err != nil {
		return nil, err
	}
	who, err := defaultAccount()
	if err != nil {
		return nil, err
	}
	installs, err := findInstalls(ctx, who)
	if err != nil {
		return nil, err
	}
	dir, err := ownersDir(ctx, o, who, installs[0])
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{ephemeral: o.Ephemeral, say: o.Log, lock: lock, place: place{dir: dir, who: who}}
	if err := s.begin(ctx, installs, settings); err != nil {
		return nil, errors.Join(err, s.letGo())
	}
	return s, nil
}

func (s *Server) begin(ctx context.Context, installs []install, settings map[string]string) error {
	var err error
	if s.place, err = locate(ctx, s.place.dir, s.place.who, installs[0], s.say); err != nil {
		return err
	}
	major, err := clusterMajor(s.place.data)
	if err != nil {
		return err
	}
	if s.bin, err = chooseInstall(installs, major, s.place.data); err != nil {
		return err
	}
	if err := stopLeftover(ctx, s.place, s.say); err != nil {
		return err
	}
	if major == 0 {
		if err := createCluster(ctx, s.bin, s.place, s.ephemeral); err != nil {
			return err
		}
	}
	if s.place.socket, err = socketDir(s.place); err != nil {
		return err
	}
	s.args = arguments(s.place, settings)
	return s.launch(ctx)
}

// arguments is the postmaster's command line. Everything is on it, so that the
// files which initdb wrote stay as they are and a leftover can be told by it.
func arguments(p place, settings map[string]string) []string {
	all := map[string]string{
		"listen_addresses":        "",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": p.socket,
	}
	maps.Copy(all, settings)
	args := []string{"-D", p.data}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", k+"="+all[k])
	}
	return args
}

func settingsOf(o Options) (map[string]string, error) {
	all := map[string]string{
		"max_connections": "100",
		// Statements and rows may hold what people wrote to each other; the
		// client gets the details in its error, the log does without.
		"log_min_error_statement": "panic",
		"log_error_verbosity":     "terse",
	}
	if o.Ephemeral {
		maps.Copy(all, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"shared_buffers":     "128MB",
			"max_connections":    "200",
		})
	}
	for k, v := range o.Settings {
		switch k = strings.ToLower(k); k {
		case "listen_addresses", "port", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions",
			"data_directory", "hba_file", "ident_file", "config_file", "external_pid_file", "logging_collector":
			return nil, fmt.Errorf("privatepg: the setting %s is not the caller's to choose: leave it out of Options.Settings", k)
		}
		all[k] = v
	}
	return all, nil
}

// DSN is the connection string of a role and a database, for pgx, goose and psql.
func (s *Server) DSN(user, database string) string {
	// Port and sslmode are said, lest PGPORT and PGSSLMODE say otherwise.
	q := url.Values{"host": {s.place.socket}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// SocketDir is the directory of the Unix socket, what libpq calls the host.
func (s *Server) SocketDir() string { return s.place.socket }

// DataDir is the cluster's directory (PGDATA).
func (s *Server) DataDir() string { return s.place.data }

// LogFile is the file that Postgres logs to.
func (s *Server) LogFile() string { return s.place.logFile() }

// BinDir is the directory of the Postgres binaries in use, psql among them where
// the client tools are installed.
func (s *Server) BinDir() string { return filepath.Dir(s.bin.postgres) }

// PID is the postmaster's process id.
func (s *Server) PID() int { return s.current.Load().pid }

// Done is closed when the postmaster has exited, asked or not. After a Restart
// call it again: the new postmaster has a channel of its own.
func (s *Server) Done() <-chan struct{} { return s.current.Load().done }

// Stop ends Postgres with a fast shutdown, waits for it, lets go of the
// directory, and removes an ephemeral one. When ctx ends first, it goes on
// to force Postgres out; only the orderly end is lost, never what was committed.
// A second call returns what the first did.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.stopErr
	}
	s.stopped = true
	sig := syscall.SIGINT
	if s.ephemeral {
		sig = syscall.SIGQUIT // no checkpoint of what is about to be removed
	}
	s.stopErr = errors.Join(s.current.Load().stop(ctx, sig), s.letGo())
	return s.stopErr
}

// Kill ends the postmaster and its children with SIGKILL, as a power cut would
// (but for the page cache). The directory stays locked: go on with Restart or Stop.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load().kill()
}

// Restart ends the postmaster, if it still runs, with the mode "fast" or
// "immediate", and starts another on the same data and socket.
func (s *Server) Restart(ctx context.Context, mode string) error {
	sig, ok := map[string]syscall.Signal{"fast": syscall.SIGINT, "immediate": syscall.SIGQUIT}[mode]
	if !ok {
		return fmt.Errorf("privatepg: unknown restart mode %q: use fast or immediate", mode)
	}
	ctx, cancel := withDefaultTimeout(ctx, startTimeout)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("privatepg: restart after Stop: call Start instead")
	}
	if err := s.current.Load().stop(ctx, sig); err != nil {
		return err
	}
	return s.launch(ctx)
}

// letGo undoes what Start took, once no postmaster runs.
func (s *Server) letGo() error {
	var errs []error
	if s.place.socket != "" && !strings.HasPrefix(s.place.socket, s.place.base()+string(filepath.Separator)) {
		// A short stand-in elsewhere: nothing is kept in it.
		errs = append(errs, os.RemoveAll(s.place.socket))
	}
	if s.ephemeral {
		errs = append(errs, os.RemoveAll(s.place.dir))
	}
	errs = append(errs, s.lock.release())
	return errors.Join(errs...)
}

func withDefaultTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
