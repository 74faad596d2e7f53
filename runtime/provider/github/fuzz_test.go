package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// FuzzNormalize: whatever comes ends as an event that Postgres can take, as
// ignored, or as an error for the sender.
func FuzzNormalize(f *testing.F) {
	for _, file := range payloads(f) {
		event, body := read1(f, file)
		f.Add(event, "application/json", []byte(body))
	}
	event, body := read1(f, "testdata/push/tag.json")
	f.Add(event, "application/x-www-form-urlencoded", []byte("payload="+url.QueryEscape(body)))
	f.Fuzz(func(t *testing.T, event, contentType string, body []byte) {
		kept := bytes.Clone(body)
		r := call(event, string(body), "Content-Type", contentType)
		in, err := New().Normalize(r, provider.Proof{})
		if !bytes.Equal(kept, r.Body) {
			t.Fatal("the body was written to")
		}
		if err != nil {
			_, ignored := errors.AsType[provider.Ignored](err)
			if !ignored && inbox.CodeOf(err) != inbox.CodeInvalid {
				t.Fatalf("neither ignored nor an error for the sender: %#v", err)
			}
			return
		}
		if in.EventID == "" || in.Thread.ExternalID == "" || in.Message.Type == "" || in.Message.Text == "" && in.Message.ExternalID == "" {
			t.Errorf("incomplete: %+v", in)
		}
		texts := append([]string{
			in.EventID, in.Target, in.Thread.ExternalID, in.Thread.Subject,
			in.Message.ExternalID, in.Message.ParentID, in.Message.Type, in.Message.Text, in.Message.URL,
		}, in.Thread.Labels...)
		if c := in.Contact; c != nil {
			texts = append(texts, c.ExternalID, c.Name, c.Handle, c.URL, c.AvatarURL)
		}
		for _, a := range in.Message.Attachments {
			texts = append(texts, a.Name, a.MIMEType, a.URL)
		}
		data, err := json.Marshal(in.Message.Data)
		if err != nil {
			t.Fatalf("data does not go into JSON: %v", err)
		}
		texts = append(texts, string(data))
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("a text that Postgres would refuse: %q", text)
			}
		}
	})
}
