package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// channels has what people write into manifests, and an editor must leave alone.
const channels = `# Anything that posts JSON.
apiVersion: socialops.dev/v1alpha1
kind: ChannelBinding
metadata:
  name: events   # as the monitoring calls it
spec:
  instanceRef: {name: support}
  # The monitoring's.
  provider: generic-webhook
  channelName: "Events" # shown to people
---
# The bot.

kind: ChannelBinding
apiVersion: socialops.dev/v1alpha1
metadata:
    name: bot
    annotations:
        team: night   # shift
spec:
    channelName: Bot
    provider: telegram
    instanceRef:
        name: support
    connectedAccountRef:
        name: support-bot
    externalChannelID: "-100123" # the group
    parseMode: HTML


---
apiVersion: v1
kind: Secret
metadata: {name: support-bot}
stringData: {token:   "1:x"}
`

func TestChangeBinding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		binding string
		change  func(*v1alpha1.ChannelBindingSpec)
		// old is replaced by new in the text, pair by pair; nothing else may change.
		pairs []string
	}{
		"switched off": {
			"events", func(s *v1alpha1.ChannelBindingSpec) { s.Active = new(false) },
			[]string{
				"  name: events   # as the monitoring calls it\n", "  name: events # as the monitoring calls it\n  annotations:\n    socialops.dev/changed-by: alice\n",
				"  channelName: \"Events\" # shown to people\n", "  channelName: \"Events\" # shown to people\n  active: false\n",
			},
		},
		"renamed": {
			"events", func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = `5 "o'clock": #yes` },
			[]string{
				"  name: events   # as the monitoring calls it\n", "  name: events # as the monitoring calls it\n  annotations:\n    socialops.dev/changed-by: alice\n",
				`"Events" # shown`, `'5 "o''clock": #yes' # shown`,
			},
		},
		"unbound from one chat, as plain text": {
			"bot", func(s *v1alpha1.ChannelBindingSpec) {
				s.ExternalChannelID, s.ParseMode = "", new(v1alpha1.ParseModePlain)
			},
			[]string{
				"night   # shift\n", "night # shift\n        socialops.dev/changed-by: alice\n",
				"    externalChannelID: \"-100123\" # the group\n", "",
				"parseMode: HTML", `parseMode: ""`,
			},
		},
		"bound to another chat": {
			"bot", func(s *v1alpha1.ChannelBindingSpec) { s.ExternalChannelID = "-100456" },
			[]string{"night   # shift\n", "night # shift\n        socialops.dev/changed-by: alice\n", `"-100123"`, `"-100456"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "channels.yaml")
			const head = "\ufeff"
			if err := os.WriteFile(path, []byte(head+channels), 0o640); err != nil {
				t.Fatal(err)
			}
			force := read(t, dir, nil)
			b, err := ChangeBinding(t.Context(), dir, force, DefaultNamespace, c.binding, "alice", c.change)
			if err != nil {
				t.Fatal(err)
			}
			want := head + channels
			for i := 0; i < len(c.pairs); i += 2 {
				if !strings.Contains(want, c.pairs[i]) {
					t.Fatalf("no %q to replace", c.pairs[i])
				}
				want = strings.Replace(want, c.pairs[i], c.pairs[i+1], 1)
			}
			if got := content(t, path); got != want {
				t.Errorf("the file is now\n%s\nwant\n%s", got, want)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the file is %v, %v", info, err)
			}
			now := read(t, dir, force)
			checkProblems(t, now, nil)
			if was, is := force.Binding(DefaultNamespace, c.binding), now.Binding(DefaultNamespace, c.binding); is.Generation != was.Generation+1 || is.UID != was.UID ||
				is.Annotations[v1alpha1.AnnotationChangedBy] != "alice" || b.Generation != is.Generation || b.UID != is.UID {
				t.Errorf("it is %+v, and was said to be %+v", is, b)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("it left %v behind, %v", entries, err)
			}

			// The same again changes nothing.
			if _, err := ChangeBinding(t.Context(), dir, now, DefaultNamespace, c.binding, "alice", c.change); err != nil {
				t.Fatal(err)
			}
			if got := content(t, path); got != want {
				t.Errorf("the file is then\n%s", got)
			}
		})
	}
}

func TestRefusedChangesLeaveTheFile(t *testing.T) {
	t.Parallel()
	none := func(*v1alpha1.ChannelBindingSpec) {}
	rename := func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = "New" }
	for name, c := range map[string]struct {
		file, text string
		binding    string
		change     func(*v1alpha1.ChannelBindingSpec)
		code       inbox.Code
		says       string
	}{
		"a chat id that is none": {
			"a.yaml", channels, "bot", func(s *v1alpha1.ChannelBindingSpec) { s.ExternalChannelID = "@name" },
			inbox.CodeInvalid, "spec.externalChannelID: Invalid value: for telegram this is a numeric chat id",
		},
		"a rule about changes": {
			"a.yaml", channels, "events", func(s *v1alpha1.ChannelBindingSpec) { s.InstanceRef.Name = "sales" },
			inbox.CodeInvalid, "spec.instanceRef: Invalid value: can't be changed: conversations stay in their inbox",
		},
		"no name": {
			"a.yaml", channels, "events", func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = "" },
			inbox.CodeInvalid, "spec.channelName: ",
		},
		"another's":      {"a.yaml", channels, "nobody", none, inbox.CodeNotFound, `there is no ChannelBinding "nobody" any more`},
		"a broken file":  {"a.yaml", channels + "---\nkind: [\n", "events", rename, inbox.CodeConflict, "corrected by hand first: a.yaml (document 4): "},
		"an alias":       {"a.yaml", strings.Replace(strings.Replace(channels, "name: events ", "name: &x events ", 1), `"Events"`, "*x", 1), "events", rename, inbox.CodeConflict, "a.yaml (document 1) is written so that it can't be changed from here: line 10: channelName is an alias"},
		"one of a List":  {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(strings.Split(channels, "---")[0], "# Anything that posts JSON.\n")), "\n", "\n  ") + "\n", "events", rename, inbox.CodeConflict, "stands in a List of a.yaml"},
		"a file of JSON": {"a.json", `{"apiVersion": "socialops.dev/v1alpha1", "kind": "ChannelBinding", "metadata": {"name": "events"}, "spec": {"instanceRef": {"name": "support"}, "provider": "generic-webhook", "channelName": "E"}}`, "events", rename, inbox.CodeConflict, "a.json is JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, c.file, c.text)
			force := read(t, dir, nil)
			_, err := ChangeBinding(t.Context(), dir, force, DefaultNamespace, c.binding, "alice", c.change)
			if inbox.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%v (%s), want %s: %s", err, inbox.CodeOf(err), c.code, c.says)
			}
			if got := content(t, filepath.Join(dir, c.file)); got != c.text {
				t.Errorf("the file is now\n%s", got)
			}
		})
	}
}

func newBinding(name, channel string) *v1alpha1.ChannelBinding {
	return &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: DefaultNamespace, Name: name, Annotations: map[string]string{v1alpha1.AnnotationChangedBy: "alice"}},
		Spec: v1alpha1.ChannelBindingSpec{
			InstanceRef: v1alpha1.InstanceReference{Name: "support"}, Provider: v1alpha1.ProviderGenericWebhook, ChannelName: channel,
		},
	}
}

func TestAddBinding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "channels.yaml", channels)
	write(t, dir, "console-alarms.yaml", "# mine\n")
	force := read(t, dir, nil)
	b := newBinding("alarms", "Alarms")
	if err := AddBinding(t.Context(), dir, force, b); err != nil {
		t.Fatal(err)
	}
	const want = `# Made in the console by alice.
apiVersion: socialops.dev/v1alpha1
kind: ChannelBinding
metadata:
  annotations:
    socialops.dev/changed-by: alice
  name: alarms
spec:
  channelName: Alarms
  instanceRef:
    name: support
  provider: generic-webhook
`
	if got := content(t, filepath.Join(dir, "console-alarms-2.yaml")); got != want {
		t.Errorf("it wrote\n%s", got)
	}
	if got := content(t, filepath.Join(dir, "console-alarms.yaml")); got != "# mine\n" {
		t.Errorf("the file of that name is now\n%s", got)
	}
	if b.UID == "" || b.Generation != 1 || b.Spec.Active == nil || !*b.Spec.Active {
		t.Errorf("it is %+v", b)
	}
	now := read(t, dir, force)
	checkProblems(t, now, nil)
	if got := now.Binding(DefaultNamespace, "alarms"); got == nil || got.Spec.ChannelName != "Alarms" {
		t.Errorf("in force is %+v", got)
	}

	generated := newBinding("", "More")
	generated.GenerateName, generated.Namespace = "more-", "team-a"
	if err := AddBinding(t.Context(), dir, now, generated); err != nil || !strings.HasPrefix(generated.Name, "more-") || len(generated.Name) != len("more-")+5 {
		t.Errorf("a name made up: %q, %v", generated.Name, err)
	}
	if got := content(t, filepath.Join(dir, "console-"+generated.Name+".yaml")); !strings.Contains(got, "  namespace: team-a\n") {
		t.Errorf("it wrote\n%s", got)
	}

	for name, c := range map[string]struct {
		binding *v1alpha1.ChannelBinding
		code    inbox.Code
		says    string
	}{
		"a name that is taken": {newBinding("events", "E"), inbox.CodeConflict, "stands in channels.yaml (document 1) already"},
		"a name on two lines":  {newBinding("two", "a\nb"), inbox.CodeInvalid, "spec.channelName: Invalid value: \"a\\nb\": must be a name on one line"},
		"a name that is none":  {newBinding("Two Words", "A"), inbox.CodeInvalid, "metadata.name: Invalid value"},
		"a way out":            {newBinding("../out", "A"), inbox.CodeInvalid, "metadata.name: Invalid value"},
	} {
		before := filesOf(t, dir)
		if err := AddBinding(t.Context(), dir, now, c.binding); inbox.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v (%s), want %s: %s", name, err, inbox.CodeOf(err), c.code, c.says)
		}
		if after := filesOf(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: it left %v", name, after)
		}
	}
}

// Editors and the console write at once, and no change is lost.
func TestConcurrentChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "channels.yaml", channels)
	force := read(t, dir, nil)
	var one sync.Mutex // as runtime/dev has one
	var people sync.WaitGroup
	for n := range 8 {
		people.Go(func() {
			one.Lock()
			defer one.Unlock()
			if _, err := ChangeBinding(t.Context(), dir, force, DefaultNamespace, "events", "", func(s *v1alpha1.ChannelBindingSpec) {
				s.ChannelName += fmt.Sprint(n)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	people.Wait()
	name := []byte(strings.TrimPrefix(read(t, dir, force).Binding(DefaultNamespace, "events").Spec.ChannelName, "Events"))
	slices.Sort(name)
	if string(name) != "01234567" {
		t.Errorf("of the changes, %q are left", name)
	}

	// An editor that saves while the change is being made wins its lines.
	edited := false
	if _, err := ChangeBinding(t.Context(), dir, force, DefaultNamespace, "bot", "", func(s *v1alpha1.ChannelBindingSpec) {
		if !edited {
			edited = true
			text := content(t, filepath.Join(dir, "channels.yaml"))
			write(t, dir, "channels.yaml", "# an editor was here\n"+text)
		}
		s.ChannelName = "Bot 2"
	}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "channels.yaml")); !strings.HasPrefix(got, "# an editor was here\n") || !strings.Contains(got, "channelName: Bot 2\n") {
		t.Errorf("the file is now\n%s", got)
	}
}

// A folder that this process may read but not write is left alone, with a message
// that says what to do.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "channels.yaml", channels)
	for _, path := range []string{filepath.Join(dir, "channels.yaml"), dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	force := read(t, dir, nil)
	if os.Geteuid() == 0 { // for whom modes are no bar: on this thread, be somebody else
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	_, change := ChangeBinding(t.Context(), dir, force, DefaultNamespace, "events", "", func(s *v1alpha1.ChannelBindingSpec) { s.ChannelName = "New" })
	for what, err := range map[string]error{"a change": change, "a new one": AddBinding(t.Context(), dir, force, newBinding("alarms", "A"))} {
		if inbox.CodeOf(err) != inbox.CodeConflict || !strings.Contains(fmt.Sprint(err), "can't be written to by this process: make it writable") {
			t.Errorf("%s: %v (%s)", what, err, inbox.CodeOf(err))
		}
	}
	if got := content(t, filepath.Join(dir, "channels.yaml")); got != channels {
		t.Errorf("the file is now\n%s", got)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func filesOf(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
