package controllers

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/postgres"
)

func TestALoginOfAPart(t *testing.T) {
	t.Parallel()
	for part, c := range map[string]struct {
		secret, own string // the key of what is the part's own, which the install's Secret holds, too
		size        int
		sees        int // instances, without saying for whom
	}{
		"worker":  {defaultWorkerSecret, keyEncryptionKey, 32, 1},
		"console": {"the-console", keyInstallID, 16, 0},
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			m := newMessenger(t, func(o *Options) { o.ConsoleSecret = "the-console" })
			m.start()
			m.create(m.instance("a"))
			m.await("a", "DatabaseReady=True/DatabaseReady")
			read := func() (*corev1.Secret, string) {
				t.Helper()
				s := get(m.operator, c.secret, &corev1.Secret{})
				_, password, err := postgres.LoginOf(string(s.Data["url"]))
				if err != nil {
					t.Fatal(err)
				}
				return s, password
			}
			s, password := read()
			if string(s.Data[c.own]) != string(get(m.operator, defaultInstallSecret, &corev1.Secret{}).Data[c.own]) {
				t.Errorf("it has another %s", c.own)
			}
			if got := slices.Sorted(maps.Keys(s.Data)); !slices.Equal(got, slices.Sorted(slices.Values([]string{"url", c.own}))) || len(s.OwnerReferences) > 0 {
				t.Errorf("it holds %v, owned by %v", got, s.OwnerReferences)
			}
			pool, err := postgres.Open(t.Context(), string(s.Data["url"]), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			var n int
			if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM instance").Scan(&n); err != nil || n != c.sees {
				t.Errorf("it sees %d instances (%v)", n, err)
			}
			verifier := func() string {
				super := m.db.Pool(t, "postgres")
				defer super.Close()
				var v string
				const of = "SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolname ~ $2"
				if err := super.QueryRow(t.Context(), of, roleOf(t, s), "^so_[0-9a-f]{8}_"+part+"$").Scan(&v); err != nil {
					t.Fatal(err)
				}
				return v
			}
			first := verifier()

			edit(m.operator, c.secret, &corev1.Secret{}, func(s *corev1.Secret) { s.Data[c.own] = []byte("oops"); s.Data["more"] = nil })
			m.eventually("the Secret is mended", func() bool {
				s, p := read()
				return len(s.Data[c.own]) == c.size && len(s.Data) == 2 && p == password
			})
			if verifier() != first {
				t.Error("an edit of something else changed the password")
			}

			m.remove(secretNamed(c.secret))
			m.eventually("there is another Secret", func() bool {
				return m.Client.Get(t.Context(), client.ObjectKey{Namespace: m.Namespace, Name: c.secret}, &corev1.Secret{}) == nil
			})
			_, second := read()
			if second == password {
				t.Error("the new Secret has the old password")
			}
			m.eventually("the role has another password", func() bool { return verifier() != first })
			m.said("Secret", c.secret, "Normal RoleReplaced: ")
			m.quiet()
		})
	}
}

func roleOf(t *testing.T, s *corev1.Secret) string {
	t.Helper()
	role, _, err := postgres.LoginOf(string(s.Data["url"]))
	if err != nil {
		t.Fatal(err)
	}
	return role
}

func TestADirectURLIsThePartsToo(t *testing.T) {
	t.Parallel()
	o := newOperator(t, func(o *Options) { o.ConsoleSecret = "the-console" })
	o.options.DirectURL = o.options.DatabaseURL + "&application_name=direct"
	o.start()
	for secret, role := range map[string]string{defaultWorkerSecret: "_worker:", "the-console": "_console:"} {
		s := kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: secret}}, "is there",
			func(s *corev1.Secret) bool { return len(s.Data) > 0 })
		if got := string(s.Data["direct-url"]); !strings.Contains(got, "application_name=direct") || !strings.Contains(got, role) {
			t.Errorf("%s: direct-url leads elsewhere", secret)
		}
	}
}

// Who installs no console has no login for one, and who removes it has it closed until
// there is one again.
func TestNoConsole(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for _, taken := range []string{defaultWorkerSecret, defaultInstallSecret} {
		options := o.options
		options.ConsoleSecret = taken
		if err := Run(t.Context(), options); err == nil || !strings.Contains(err.Error(), "each has one of its own") {
			t.Errorf("the console's Secret is %s: %v", taken, err)
		}
	}
	m := &messenger{o, nil}
	m.start()
	worker := kubetest.Await(t, o.Env, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: defaultWorkerSecret}}, "is there",
		func(s *corev1.Secret) bool { return len(s.Data) > 0 })
	role := strings.TrimSuffix(roleOf(t, worker), "worker") + "console"
	login := func() string { return o.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role) }
	o.settled()
	if o.query("SELECT count(*) FROM pg_roles WHERE rolname = $1", role) != "0" {
		t.Errorf("there is a role %s", role)
	}
	for round, secret := range []string{"the-console", "", "the-console"} {
		m.stop()
		m.options.ConsoleSecret = secret
		m.start()
		m.eventually("the console may log in only if there is one", func() bool {
			return o.query("SELECT count(*) FROM pg_roles WHERE rolname = $1", role) == "1" && login() == strconv.FormatBool(secret != "")
		})
		// Whoever is stopped before its caches are there says so in the log.
		name := "round-" + strconv.Itoa(round)
		m.Apply(t, m.instance(name))
		m.await(name, "DatabaseReady=True/DatabaseReady")
	}
	console := get(o, "the-console", &corev1.Secret{})
	m.eventually("it may with the Secret that stayed", func() bool {
		in, err := postgres.CanLogin(t.Context(), string(console.Data["url"]))
		return in && err == nil
	})
	m.quiet()
}
