package privatepg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest Postgres that the schema is tested on.
const oldestMajor = 15

// install is one Postgres on this machine.
type install struct {
	major            int
	postgres, initdb string
}

var versionRE = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findInstalls lists the usable installs, the preferred one first: what the owner
// put in PATH, then the newest of the places where packages put it.
func findInstalls(ctx context.Context, who account) ([]install, error) {
	var found []install
	var refused []string
	seen := map[string]bool{}
	for _, dir := range binDirs(ctx) {
		in, ok := installIn(dir)
		if !ok || seen[in.postgres] {
			continue
		}
		seen[in.postgres] = true
		var err error
		if in.major, err = in.version(ctx, who); err != nil {
			refused = append(refused, err.Error())
			continue
		}
		found = append(found, in)
	}
	if len(found) > 0 {
		return found, nil
	}
	msg := fmt.Sprintf("privatepg: no Postgres %d or newer found: %s", oldestMajor, installHint())
	if len(refused) > 0 {
		msg += " (" + strings.Join(refused, "; ") + ")"
	}
	return nil, errors.New(msg)
}

// installIn is the install that dir shows, past the links: psql and the
// libraries are beside the real files.
func installIn(dir string) (install, bool) {
	if real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil && isFile(filepath.Join(filepath.Dir(real), "initdb")) {
		dir = filepath.Dir(real)
	}
	in := install{postgres: filepath.Join(dir, "postgres"), initdb: filepath.Join(dir, "initdb")}
	return in, isFile(in.postgres) && isFile(in.initdb)
}

func (in install) version(ctx context.Context, who account) (int, error) {
	out, err := command(ctx, who, "/", in.postgres, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s does not run as %s: %w", in.postgres, who, err)
	}
	m := versionRE.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s does not say its version", in.postgres)
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil || major < oldestMajor {
		return 0, fmt.Errorf("%s is version %s, older than %d", in.postgres, m[1], oldestMajor)
	}
	return major, nil
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

// packageDirs is where packages put the server's binaries without a link in PATH.
var packageDirs = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                   // postgresql.org's RPMs
	"/usr/libexec/postgresql*",           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew, arm64
	"/usr/local/opt/postgresql@*/bin",    // Homebrew, amd64
	"/usr/local/pgsql/bin",               // built from source
}

func binDirs(ctx context.Context) []string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	var packaged []string
	for _, pattern := range packageDirs {
		m, err := filepath.Glob(pattern)
		if err == nil {
			packaged = append(packaged, m...)
		}
	}
	slices.SortStableFunc(packaged, func(a, b string) int { return number(b) - number(a) })
	dirs = append(dirs, packaged...)
	if p, err := exec.LookPath("pg_config"); err == nil {
		if out, err := exec.CommandContext(ctx, p, "--bindir").Output(); err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	return dirs
}

var numberRE = regexp.MustCompile(`\d+`)

// number is the version in a package's path, 0 if there is none.
func number(path string) int {
	n, err := strconv.Atoi(numberRE.FindString(path))
	if err != nil {
		return 0
	}
	return n
}

// chooseInstall picks the binaries for a cluster of the given major version, or
// the preferred ones for a new cluster (major 0).
func chooseInstall(installs []install, major int, data string) (install, error) {
	if major == 0 {
		return installs[0], nil
	}
	var have []string
	for _, in := range installs {
		if in.major == major {
			return in, nil
		}
		have = append(have, strconv.Itoa(in.major))
	}
	return install{}, fmt.Errorf("privatepg: the data in %s is of Postgres %d, but this machine has %s: "+
		"install Postgres %d beside it, or carry the data over with pg_upgrade, or move that directory away to start empty",
		data, major, strings.Join(have, " and "), major)
}

// clusterMajor is the version of the cluster in data, 0 if there is none yet.
func clusterMajor(data string) (int, error) {
	entries, err := os.ReadDir(data)
	if os.IsNotExist(err) || (err == nil && len(entries) == 0) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("privatepg: look at the cluster: %w (its owner or root can start it)", err)
	}
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if os.IsNotExist(err) {
		return 0, fmt.Errorf("privatepg: %s holds files but no Postgres cluster: move it away", data)
	}
	if err != nil {
		return 0, fmt.Errorf("privatepg: read the cluster's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("privatepg: %s/PG_VERSION is not a version: move the directory away, or restore it from a backup", data)
	}
	return major, nil
}

// installHint says what to run. hack/postgres.sh does the same in a checkout.
func installHint() string {
	for _, h := range []struct{ tool, say string }{
		{"apt-get", "install it with `sudo apt-get install -y --no-install-recommends postgresql` (in a checkout: `hack/postgres.sh`, which starts no system cluster)"},
		{"dnf", "install it with `sudo dnf install -y postgresql-server`"},
		{"apk", "install it with `sudo apk add postgresql`"},
		{"brew", "install it with `brew install postgresql@18`"},
	} {
		if _, err := exec.LookPath(h.tool); err == nil {
			return h.say
		}
	}
	return "install it from https://www.postgresql.org/download/ and put its bin directory in PATH"
}
