package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

func TestFetchMedia(t *testing.T) {
	t.Parallel()
	small := []byte("%PDF-1.7 …")
	full, over := make([]byte, provider.MaxMedia), make([]byte, provider.MaxMedia+1)
	for name, c := range map[string]struct {
		file     botapisim.File
		ref      string // of another file than that
		fault    *botapisim.Fault
		want     inbox.OutcomeKind
		reason   string
		retry    time.Duration
		mimeType string
		readErr  inbox.Code
		broken   bool // reading fails in another way
	}{
		"small":           {file: botapisim.File{Name: "a.pdf", Content: small, ServedAs: "application/pdf; x=y"}, want: inbox.Delivered, mimeType: "application/pdf"},
		"no type":         {file: botapisim.File{Content: small}, want: inbox.Delivered, mimeType: "application/octet-stream"},
		"odd type":        {file: botapisim.File{Content: small, ServedAs: "<script>/x"}, want: inbox.Delivered, mimeType: "application/octet-stream"},
		"empty":           {file: botapisim.File{}, want: inbox.Delivered, mimeType: "application/octet-stream"},
		"20 MB":           {file: botapisim.File{Content: full}, want: inbox.Delivered, mimeType: "application/octet-stream"},
		"20 MB, unsaid":   {file: botapisim.File{Content: full, HideSize: true}, want: inbox.Delivered, mimeType: "application/octet-stream"},
		"over":            {file: botapisim.File{Content: over}, want: inbox.Refused, reason: "Telegram refused it (400): Bad Request: file is too big"},
		"over, unsaid":    {file: botapisim.File{Content: over, HideSize: true}, want: inbox.Delivered, mimeType: "application/octet-stream", readErr: inbox.CodeTooLarge},
		"over, said":      {file: botapisim.File{}, fault: &botapisim.Fault{Method: "getFile", Body: `{"ok":true,"result":{"file_id":"x","file_size":99999999,"file_path":"x"}}`}, want: inbox.Refused, reason: tooLarge},
		"gone":            {ref: "nope", want: inbox.Refused, reason: "Telegram refused it (400): Bad Request: wrong file_id or the file is temporarily unavailable"},
		"no ref":          {ref: " ", want: inbox.Refused, reason: "the attachment has no file"},
		"path out":        {fault: &botapisim.Fault{Method: "getFile", Body: `{"ok":true,"result":{"file_path":"../../etc/passwd"}}`}, want: inbox.Refused, reason: "the Bot API gave no path that could be fetched"},
		"local path":      {fault: &botapisim.Fault{Method: "getFile", Body: `{"ok":true,"result":{"file_path":"/var/lib/x"}}`}, want: inbox.Refused, reason: "the Bot API gave no path that could be fetched"},
		"no result":       {fault: &botapisim.Fault{Method: "getFile", Body: `{"ok":true}`}, want: inbox.Refused, reason: "the Bot API gave no path that could be fetched"},
		"path escaped":    {fault: &botapisim.Fault{Method: "getFile", Body: `{"ok":true,"result":{"file_path":"a?b#c"}}`}, want: inbox.Refused, reason: "the file was answered with status 404"},
		"slow down":       {fault: &botapisim.Fault{Method: "getFile", Status: 429, RetryAfter: 4}, want: inbox.Later, retry: 4 * time.Second, reason: "Telegram asked to wait: Too Many Requests: retry after 4"},
		"slow down, file": {fault: &botapisim.Fault{Method: "file", Status: 429, RetryAfter: 4}, want: inbox.Later, retry: 4 * time.Second, reason: "the file was answered with status 429"},
		"server error":    {fault: &botapisim.Fault{Method: "getFile", Status: 500}, want: inbox.Later, reason: "the Bot API answered with status 500"},
		"server, file":    {fault: &botapisim.Fault{Method: "file", Status: 502}, want: inbox.Later, reason: "the file was answered with status 502"},
		"dropped":         {fault: &botapisim.Fault{Method: "file", Drop: botapisim.BeforeAnswer}, want: inbox.Later, reason: "no answer of the Bot API: …"},
		"broken off":      {file: botapisim.File{Content: small}, fault: &botapisim.Fault{Method: "file", Drop: botapisim.MidAnswer, Effect: true}, want: inbox.Delivered, mimeType: "application/json", broken: true},
		"revoked":         {fault: &botapisim.Fault{Method: "getFile", Status: 401}, want: inbox.Refused, reason: "Telegram refused it (401): Unauthorized"},
		"redirect, file":  {fault: &botapisim.Fault{Method: "file", Status: 302, Body: "x"}, want: inbox.Later, reason: "the file was answered with status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, botapisim.Options{})
			ref := sim.AddFile(c.file)
			if c.ref != "" {
				ref = strings.TrimSpace(c.ref)
			}
			if c.fault != nil {
				sim.Inject(*c.fault)
			}
			media, out := newProvider(t, sim, Options{}).FetchMedia(t.Context(), credential, ref)
			noToken(t, fmt.Sprintf("%+v", out))
			if prefix, any := strings.CutSuffix(c.reason, "…"); any && strings.HasPrefix(out.Reason, prefix) {
				c.reason = out.Reason
			}
			if out.Kind != c.want || out.Reason != c.reason || out.RetryAfter != c.retry {
				t.Fatalf("%+v, want %s %s %s", out, c.want, c.retry, c.reason)
			}
			if out.Kind != inbox.Delivered {
				if media.Body != nil {
					t.Error("a body without a delivery")
				}
				return
			}
			defer func() {
				if err := media.Body.Close(); err != nil {
					t.Error(err)
				}
			}()
			if media.MIMEType != c.mimeType {
				t.Errorf("type %q, want %q", media.MIMEType, c.mimeType)
			}
			body, err := io.ReadAll(media.Body)
			switch {
			case c.broken:
				if err == nil {
					t.Error("a file that broke off reads as whole")
				} else {
					noToken(t, err.Error())
				}
			case inbox.CodeOf(err) != c.readErr || err != nil && c.readErr == "":
				t.Errorf("reading: %v, want code %q", err, c.readErr)
			case err == nil && !bytes.Equal(body, c.file.Content):
				t.Errorf("%d bytes, want %d", len(body), len(c.file.Content))
			case err == nil && media.Size >= 0 && media.Size != int64(len(body)):
				t.Errorf("size %d of %d", media.Size, len(body))
			case len(body) > provider.MaxMedia:
				t.Errorf("%d bytes were read", len(body))
			}
		})
	}
}

// A file outlives the call that opened it, but not its time.
func TestFetchMediaTimeout(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{})
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil && strings.HasPrefix(r.URL.Path, "/file/") {
			resp.Body = stalled{r.Context()}
		}
		return resp, err
	})}
	p := newProvider(t, sim, Options{HTTPClient: client, MediaTimeout: 300 * time.Millisecond})
	media, out := p.FetchMedia(t.Context(), credential, sim.AddFile(botapisim.File{Content: []byte("x")}))
	if out.Kind != inbox.Delivered {
		t.Fatalf("%+v", out)
	}
	_, err := io.ReadAll(media.Body)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reading: %v", err)
	}
	_ = media.Body.Close()
}

// stalled is a body of which nothing comes.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (stalled) Close() error               { return nil }
