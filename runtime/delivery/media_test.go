package delivery_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// file is what can be seen of an attachment.
type file struct {
	State   inbox.AttachmentState
	Error   string
	Size    int64
	MIME    string
	Content int // bytes stored; -1: none
}

func (ten *tenant) file(t testing.TB, id inbox.AttachmentID) (f file) {
	t.Helper()
	err := ten.w.Owner.QueryRow(t.Context(), `
		SELECT a.state, a.error, a.size, a.mime_type, coalesce(length(c.content), -1)
		  FROM attachment a LEFT JOIN attachment_content c ON c.instance_id = a.instance_id AND c.attachment_id = a.id
		 WHERE a.instance_id = $1 AND a.id = $2`, ten.ID, id).Scan(&f.State, &f.Error, &f.Size, &f.MIME, &f.Content)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Files are fetched from the Bot API, tried again while it is away, never more than
// 20 MB of them, and cost nothing.
func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sim, p := simulator(t, telegram.Paces{}, botapisim.Options{})
	w.run(t, p, listening)
	const pdf, octets, most = "application/pdf", "application/octet-stream", provider.MaxMedia
	tooLarge := "the file is larger than 20 MB"
	again := []string{"pending by system", "processing by worker", "", "", "completed by worker"}
	once := []string{"pending by system", "processing by worker", "completed by worker"}
	for name, c := range map[string]struct {
		file  botapisim.File
		ref   string // instead of the file's
		fault *botapisim.Fault
		want  file
		audit []string // "": whatever
	}{
		"small":             {file: botapisim.File{Content: []byte("hello"), ServedAs: pdf}, want: file{inbox.AttachmentStored, "", 5, pdf, 5}, audit: once},
		"empty":             {want: file{inbox.AttachmentStored, "", 0, octets, 0}, audit: once},
		"20 MB":             {file: botapisim.File{Content: make([]byte, most)}, want: file{inbox.AttachmentStored, "", most, octets, most}, audit: once},
		"larger":            {file: botapisim.File{Content: make([]byte, most+1)}, want: file{State: inbox.AttachmentFailed, Error: "Telegram refused it (400): Bad Request: file is too big", Content: -1}},
		"larger, not said":  {file: botapisim.File{Content: make([]byte, most+1), HideSize: true}, want: file{State: inbox.AttachmentFailed, Error: tooLarge, Content: -1}},
		"gone":              {ref: "nope", want: file{State: inbox.AttachmentFailed, Error: "Telegram refused it (400): Bad Request: wrong file_id or the file is temporarily unavailable", Content: -1}},
		"away":              {file: botapisim.File{Content: []byte("hello")}, fault: &botapisim.Fault{Method: "getFile", Status: 500}, want: file{inbox.AttachmentStored, "", 5, octets, 5}, audit: again},
		"asked to wait":     {file: botapisim.File{Content: []byte("hello")}, fault: &botapisim.Fault{Method: "getFile", Status: 429, RetryAfter: 1}, want: file{inbox.AttachmentStored, "", 5, octets, 5}, audit: again},
		"away, for content": {file: botapisim.File{Content: []byte("hello")}, fault: &botapisim.Fault{Method: "file", Status: 502}, want: file{inbox.AttachmentStored, "", 5, octets, 5}, audit: again},
		"broken off":        {file: botapisim.File{Content: []byte("hello")}, fault: &botapisim.Fault{Method: "file", Drop: botapisim.MidAnswer, Effect: true}, want: file{inbox.AttachmentStored, "", 5, "", 5}, audit: again},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ten := w.tenant(t)
			ref := sim.AddFile(c.file)
			if c.ref != "" {
				ref = c.ref
			}
			if c.fault != nil {
				c.fault.Times, c.fault.Token = 1, tokenOf(ten.TelegramSource)
				sim.Inject(*c.fault)
			}
			attachment, id := ten.thread(t, "7").attachment(t, ref)
			status := inbox.ActionCompleted
			if c.want.State == inbox.AttachmentFailed {
				status = inbox.ActionFailed
				c.audit = failedFor(c.want.Error)
			}
			got := ten.until(t, id, inbox.ActionCompleted, inbox.ActionFailed)
			if got.Status != status || got.Error != c.want.Error || got.Balance != -200 { // the price of the message that came with it
				t.Errorf("action is %+v", got)
			}
			f := ten.file(t, attachment)
			if c.want.MIME == "" {
				f.MIME = ""
			}
			same(t, "file", c.want, f)
			same(t, "ledger", []string{}, ten.entries(t, id))
			audit := ten.audit(t, id)
			for i := range audit {
				if i < len(c.audit) && c.audit[i] == "" {
					audit[i] = ""
				}
			}
			same(t, "audit", c.audit, audit)
		})
	}
}

// endless is a body without an end.
type endless struct{ read *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) { e.read.Add(int64(len(p))); return len(p), nil }
func (endless) Close() error                 { return nil }

// Whatever a provider gives, no more than 20 MB are taken, and its failures are no worker's end.
func TestFileBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var read atomic.Int64
	w.run(t, &fake{media: func(_ context.Context, ref string) (provider.Media, inbox.Outcome) {
		switch ref {
		case "endless":
			return provider.Media{Body: endless{&read}, Size: -1, MIMEType: "video/mp4"}, inbox.Outcome{Kind: inbox.Delivered}
		case "panics":
			panic("at the disco")
		}
		return provider.Media{Body: io.NopCloser(bytes.NewReader([]byte("x"))), MIMEType: "text/\x00plain"}, inbox.Outcome{Kind: inbox.Delivered}
	}})
	ten := w.tenant(t)
	th := ten.thread(t, "7")
	for ref, want := range map[string]file{
		"endless": {State: inbox.AttachmentFailed, Error: "the file is larger than 20 MB", Content: -1},
		"panics":  {State: inbox.AttachmentFailed, Error: "the provider's code failed: at the disco", Content: -1},
		"odd":     {State: inbox.AttachmentStored, Size: 1, MIME: "text/\uFFFDplain", Content: 1},
	} {
		attachment, id := th.attachment(t, ref)
		ten.until(t, id, inbox.ActionCompleted, inbox.ActionFailed)
		if d := cmp.Diff(want, ten.file(t, attachment)); d != "" {
			t.Errorf("%s: %s", ref, d)
		}
	}
	if n := read.Load(); n > 2*provider.MaxMedia {
		t.Errorf("%d bytes of an endless file were read", n)
	}
}

// Results kept for idempotency keys go after a day, and no sooner.
func TestPurge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := w.tenant(t)
	w.exec(t, `INSERT INTO idempotency (instance_id, caller, route, key, body_hash, result, created_at)
		SELECT $1, 'c', 'r', 'k' || h, '', '{}', now() - make_interval(hours => h, mins => 1) FROM unnest('{0,12,23,24,48,1000}'::int[]) h`, ten.ID)
	w.exec(t, `INSERT INTO idempotency (instance_id, caller, route, key, body_hash, result, created_at)
		SELECT $1, 'c', 'old', 'k' || n, '', '{}', now() - interval '2 days' FROM generate_series(1, 3000) n`, ten.ID)
	if err := w.queue.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := scan[[]string](t, w.Owner, `SELECT array_agg(key ORDER BY created_at DESC) FROM idempotency WHERE instance_id = $1`, ten.ID)
	if want := "k0 k12 k23"; strings.Join(got, " ") != want {
		t.Errorf("kept %s, want %s", got, want)
	}
}
