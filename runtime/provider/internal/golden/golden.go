// Package golden compares what a provider makes of a payload with a file that a
// person has read. Run the tests with -update to write the files anew, then read
// the difference.
package golden

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
)

var update = flag.Bool("update", false, "write golden files anew")

// Check compares got with the file at path. Its error shows the difference.
func Check(path, got string) error {
	if *update {
		return os.WriteFile(path, []byte(got), 0o644) //nolint:gosec // a file of the repository
	}
	want, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("no golden file (run with -update to make it): %w", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		return fmt.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
	return nil
}

// Inbound writes an event for a person: a line for each field that is set, the
// text last. The raw payload is left out, as it is the input.
func Inbound(in inbox.Inbound) string {
	var b strings.Builder
	line := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, text)
		}
	}
	line("provider", in.Provider)
	line("source", in.Source)
	line("event", in.EventID)
	line("kind", in.Kind)
	line("target", in.Target)
	line("thread", in.Thread.ExternalID)
	line("subject", in.Thread.Subject)
	line("labels", strings.Join(in.Thread.Labels, " | "))
	line("priority", in.Thread.Priority)
	if c := in.Contact; c != nil {
		line("contact", strings.Join([]string{c.ExternalID, c.Name, c.Handle, c.URL, c.AvatarURL}, " | "))
	}
	m := in.Message
	line("message", m.ExternalID)
	line("parent", m.ParentID)
	line("type", m.Type)
	line("url", m.URL)
	line("origin", m.Origin)
	if !m.SentAt.IsZero() {
		line("sent", m.SentAt.Format(time.RFC3339Nano))
	}
	line("group", m.GroupID)
	line("reaction", strings.Join(m.Reaction, " "))
	for _, a := range m.Attachments {
		line("attachment", strings.Join([]string{a.Kind, a.Name, a.MIMEType, fmt.Sprint(a.Size), a.URL, a.Ref}, " | "))
	}
	if m.Data != nil {
		data, err := json.Marshal(m.Data)
		if err != nil {
			data = []byte(err.Error())
		}
		line("data", string(data))
	}
	line("migrated", in.MigratedTo)
	line("", in.MigratedTarget)
	line("content", in.ContentType)
	if m.Text != "" {
		b.WriteString("text\n")
		for l := range strings.SplitSeq(m.Text, "\n") {
			b.WriteString(strings.TrimRight("    "+l, " ") + "\n")
		}
	}
	return b.String()
}
