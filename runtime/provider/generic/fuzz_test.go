package generic

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/open4x/socialops/runtime/inbox"
)

// FuzzNormalize holds the reader against encoding/json: it takes no body that is
// no JSON, refuses none that is, and reads the same texts.
func FuzzNormalize(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no payloads in testdata", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte("\xef\xbb\xbf{\"text\":\"\\ud83d\\ude00\\u0000\xff\",\"x\":[1e5,-0.1,{\"a\":null}]}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		in, err := normalize(string(body))
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was written to")
		}
		body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
		if err != nil {
			var e *inbox.Error
			if !errors.As(err, &e) || e.Code != inbox.CodeInvalid || e.Message == "" {
				t.Fatalf("not an error for the sender: %#v", err)
			}
			if strings.Contains(e.Message, "JSON at byte") && json.Valid(body) {
				t.Fatalf("valid JSON was refused: %v", err)
			}
			return
		}
		want := map[string]any{}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("took what is no JSON: %v", err)
		}
		if text, ok := want["text"].(string); ok && strings.TrimSpace(text) != "" {
			if text = strings.ReplaceAll(text, "\x00", "\uFFFD"); in.Message.Text != text {
				t.Errorf("text is %q, want %q", in.Message.Text, text)
			}
		}
		if in.Thread.ExternalID == "" || in.Message.Type == "" || len(in.Thread.Labels) > maxLabels {
			t.Errorf("incomplete: %+v", in)
		}
		texts := append([]string{
			in.EventID, in.Target, in.Thread.ExternalID, in.Thread.Subject,
			in.Message.ExternalID, in.Message.ParentID, in.Message.Type, in.Message.Text, in.Message.URL,
		}, in.Thread.Labels...)
		if in.Message.Data != nil {
			data, err := json.Marshal(in.Message.Data)
			if err != nil {
				t.Fatalf("data does not go back into JSON: %v", err)
			}
			if strings.Contains(strings.ReplaceAll(string(data), `\\`, ""), `\u0000`) {
				t.Error("data holds U+0000")
			}
		}
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("a text that Postgres would refuse: %q", text)
			}
		}
	})
}
