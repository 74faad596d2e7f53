package project_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// listed are the names of manifests, as a list of a cluster gives them.
func listed(m project.Manifests) project.Listed {
	l := project.NewListed()
	for _, in := range m.Instances {
		l.Instances[name(in.Manifest.Namespace, in.Manifest.Name)] = struct{}{}
	}
	for _, b := range m.Bindings {
		l.Bindings[name(b.Namespace, b.Name)] = struct{}{}
	}
	for _, s := range m.Secrets {
		l.Accounts[name(s.Namespace, s.Name)] = struct{}{}
	}
	return l
}

func everywhere(string) bool { return true }

func (w *world) inForce() []string {
	w.t.Helper()
	rows, err := w.db.Owner.Query(w.t.Context(), `
SELECT namespace || '/' || name FROM instance WHERE retired_at IS NULL
 UNION ALL SELECT c.name FROM channel c WHERE removed_at IS NULL AND NOT is_default ORDER BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestSweep(t *testing.T) {
	t.Parallel()
	full := func(m *project.Manifests) {
		m.Instances = append(m.Instances,
			project.InstanceInput{Manifest: instance("default", "deletes", "deletes", func(in *v1alpha1.SocialOpsInstance) { in.Spec.DeletionPolicy = v1alpha1.DeletionDelete })},
			project.InstanceInput{Manifest: instance("other", "there", "there")})
		m.Bindings = append(m.Bindings, binding("other", "b", "there", v1alpha1.ProviderGenericWebhook, ""))
		m.Secrets = append(m.Secrets, githubAccount("other", "github", githubSecret))
	}
	all := []string{"Channel b", "Channel events", "Channel github", "Channel telegram", "default/deletes", "default/support", "other/there"}
	for title, c := range map[string]struct {
		change  func(*project.Manifests)
		watched func(string) bool
		left    []string
		want    project.Swept
	}{
		"nothing is gone": {func(*project.Manifests) {}, everywhere, all, project.Swept{}},
		"all is gone": {func(m *project.Manifests) { *m = project.Manifests{} }, everywhere, nil, project.Swept{
			Ended: 7, Purging: true, Accounts: []project.Name{name("default", "bot"), name("default", "github"), name("other", "github")},
		}},
		"all of one namespace, which alone is watched": {
			func(m *project.Manifests) { *m = project.Manifests{} }, func(ns string) bool { return ns == "other" },
			[]string{"Channel events", "Channel github", "Channel telegram", "default/deletes", "default/support"},
			project.Swept{Ended: 2, Accounts: []project.Name{name("other", "github")}},
		},
		"a binding": {
			func(m *project.Manifests) { m.Bindings = m.Bindings[1:] }, everywhere,
			slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "Channel events" }),
			project.Swept{Ended: 1},
		},
		"an instance": {func(m *project.Manifests) { m.Instances = m.Instances[1:] }, everywhere, []string{"Channel b", "default/deletes", "other/there"}, project.Swept{Ended: 1}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.m = samples()
			full(&w.m)
			w.pass()
			m := samples()
			full(&m)
			c.change(&m)
			got, err := w.Sweep(t.Context(), c.watched, func(context.Context) (project.Listed, error) { return listed(m), nil })
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got.Accounts, func(a, b project.Name) int { return cmpText(a.String(), b.String()) })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.left, w.inForce()); diff != "" {
				t.Errorf("in force: %s", diff)
			}
			before := w.snapshot()
			again, err := w.Sweep(t.Context(), c.watched, func(context.Context) (project.Listed, error) { return listed(m), nil })
			if err != nil || again.Ended != 0 || before != w.snapshot() {
				t.Errorf("a second sweep: %+v (%v)", again, err)
			}
		})
	}
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// What is created anew while the cluster is listed is not the object that was missing.
func TestASweepSparesWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m = samples()
	w.pass()
	again := samples()
	for i := range again.Instances {
		again.Instances[i].Manifest.UID = types.UID("new")
	}
	for _, b := range again.Bindings {
		b.UID = types.UID("new-" + b.Name)
	}
	got, err := w.Sweep(t.Context(), everywhere, func(ctx context.Context) (project.Listed, error) {
		_, err := w.All(ctx, again)
		return project.NewListed(), err // from just before
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Channel events", "Channel github", "Channel telegram", "default/support"}; !slices.Equal(w.inForce(), want) {
		t.Errorf("in force: %v (%+v)", w.inForce(), got)
	}
	// A list that fails is no empty one.
	broken := errors.New("no list")
	if _, err := w.Sweep(t.Context(), everywhere, func(context.Context) (project.Listed, error) { return project.Listed{}, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if len(w.inForce()) != 4 {
		t.Errorf("in force after a list that failed: %v", w.inForce())
	}
}

// A webhook whose channel went while Telegram was away is removed by its account.
func TestAWebhookThatNobodyUsesIsRemovedLater(t *testing.T) {
	t.Parallel()
	for title, remove := range map[string]func(*world) error{
		"its binding is gone":  func(w *world) error { _, err := w.RemoveBinding(t.Context(), "default", "telegram"); return err },
		"its instance is gone": func(w *world) error { _, err := w.End(t.Context(), "default", "support"); return err },
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.m = samples()
			w.pass()
			w.sim.Inject(botapisim.Fault{Method: "deleteWebhook", Status: http.StatusBadGateway})
			if err := remove(w); err != nil {
				t.Fatal(err)
			}
			// Whoever asks for the binding's removal hears of it, though the instance closed the channel.
			if at, err := w.RemoveBinding(t.Context(), "default", "telegram"); err != nil || !at.Equal(w.clock.Now().Add(30*time.Second)) {
				t.Errorf("the removal is to be tried again at %s (%v)", at, err)
			}
			project := func() {
				t.Helper()
				r, err := w.Account(t.Context(), w.m.Secrets[0])
				if err != nil {
					t.Fatal(err)
				}
				if url, _, _ := w.sim.Webhook(token1); (url == "") != r.Changed {
					t.Errorf("changed: %v, and the webhook leads to %q", r.Changed, url)
				}
				if url, _, _ := w.sim.Webhook(token1); url != "" && !r.CheckAt.Equal(w.clock.Now().Add(30*time.Second)) && !r.CheckAt.After(w.clock.Now()) {
					t.Errorf("it is tried again at %s", r.CheckAt)
				}
			}
			project()
			w.clock.advance(31 * time.Second)
			project()
			w.sim.ClearFaults()
			w.clock.advance(31 * time.Second)
			project()
			if url, _, _ := w.sim.Webhook(token1); url != "" {
				t.Errorf("the webhook still leads to %s", url)
			}
		})
	}
}
