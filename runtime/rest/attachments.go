package rest

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	// maxFiles bounds the attachments in memory at once, of at most 20 MB each.
	maxFiles = 3
	// fileTime is what a client has to take a file.
	fileTime = 2 * time.Minute
	// fetchSoon is when to ask again for a file that the worker is to fetch.
	fetchSoon = time.Second
)

// shown are the types of files that a browser may show by itself: pictures that can't run scripts.
var shown = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true}

func (a *API) addAttachments() {
	pending := &huma.Response{
		Description: "The file is still at the provider and is being fetched: ask again after the seconds of Retry-After.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(Envelope[Attachment]{})}},
		Headers:     map[string]*huma.Header{"Retry-After": {Schema: &huma.Schema{Type: huma.TypeInteger}}},
	}
	file := &huma.Response{
		Description: "The file.",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	inboxCall(a, Operation{
		ID: "get-attachment", Method: http.MethodGet, Path: "/attachments/{attachment_id}", Need: Read, Tag: "Messages",
		Summary: "An attachment's file",
		Text: "Files that only the provider holds are fetched on first view: the first call then answers 202. " +
			"A file with a public address is not served here but at its url (409).",
		Errors:    []inbox.Code{inbox.CodeNotFound, inbox.CodeConflict},
		Responses: map[string]*huma.Response{"200": file, "202": pending},
	}, (*Inbox).attachment)
}

func (b *Inbox) attachment(ctx context.Context, _ Caller, in *struct {
	AttachmentID string `path:"attachment_id" example:"soatt_01kc0w3v2pf0bvd9m4v9wq7x5e"`
},
) (*huma.StreamResponse, error) {
	var id inbox.AttachmentID
	if err := id.UnmarshalText([]byte(in.AttachmentID)); err != nil || id.IsZero() {
		return nil, NoSuch("attachment", err)
	}
	select {
	case b.files <- struct{}{}:
	case <-ctx.Done():
		return nil, Failure(inbox.CodeUnavailable, "too many files are being served right now: try again").retryAfter(retrySoon)
	}
	release := func() { <-b.files }
	file, content, err := b.store.Attachment(ctx, id)
	if err != nil {
		release()
		return nil, err
	}
	switch file.State {
	case inbox.AttachmentStored:
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer release()
			_, w := humago.Unwrap(hc)
			serveFile(w, file, content)
		}}, nil
	case inbox.AttachmentRemote:
		release()
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			h := w.Header()
			h["Content-Type"] = jsonType
			h.Set("Retry-After", strconv.Itoa(int(fetchSoon/time.Second)))
			w.WriteHeader(http.StatusAccepted)
			_ = marshal(w, OK(b.newAttachment(file)).Body)
		}}, nil
	case inbox.AttachmentLinked:
		release()
		// No redirect: clients would send our API key along to wherever it leads.
		e := inbox.Errorf(inbox.CodeConflict, "this file is not kept here: get it from its url")
		e.Details = map[string]string{"url": file.URL}
		return nil, e
	default:
		release()
		return nil, inbox.Errorf(inbox.CodeNotFound, "this file can't be had: %s", file.Error)
	}
}

// serveFile sends a file in a way that no browser runs it as a page of ours.
func serveFile(w http.ResponseWriter, file inbox.Attachment, content []byte) {
	// A writer without deadlines is a test'b.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTime))
	kind, _, err := mime.ParseMediaType(file.MIMEType)
	if err != nil {
		kind = "application/octet-stream"
	}
	disposition := "attachment"
	if shown[kind] {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", withName(disposition, file.Name))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	w.WriteHeader(http.StatusOK)
	_, _ = bytes.NewReader(content).WriteTo(w) // whoever hung up asks again
}

func withName(disposition, name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	if name == "" {
		return disposition
	}
	if v := mime.FormatMediaType(disposition, map[string]string{"filename": name}); v != "" {
		return v
	}
	return disposition
}
