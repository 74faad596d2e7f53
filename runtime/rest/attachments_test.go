package rest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestAttachments(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a, other := start(t, db), start(t, db)
	made := a.event(http.StatusAccepted, `{"text": "see", "attachments": [{"url": "https://files.example/a.png", "mime_type": "image/png"}]}`)
	var message inbox.MessageID
	if err := message.UnmarshalText([]byte(made.MessageID)); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("<script>alert(1)</script>"), 1000)
	add := func(state, name, mime string) string {
		t.Helper()
		id := inbox.NewID[inbox.AttachmentID](time.Now())
		a.sql("INSERT INTO attachment (instance_id, id, message_id, position, kind, name, mime_type, ref, state, error) VALUES ($1, $2, $3, 9, 'file', $4, $5, 'secret-ref', $6, 'it is too large')",
			a.tenant.ID, id, message, name, mime, state)
		if state == "stored" {
			a.sql("INSERT INTO attachment_content VALUES ($1, $2, $3)", a.tenant.ID, id, content)
		}
		return id.String()
	}
	for name, c := range map[string]struct {
		name, mime          string
		kind, dispositionIs string
	}{
		"a picture":      {"cat.png", "image/png", "image/png", `inline; filename=cat.png`},
		"a page":         {"evil.html", "text/html", "text/html", `attachment; filename=evil.html`},
		"an SVG":         {"evil.svg", "image/svg+xml", "image/svg+xml", `attachment; filename=evil.svg`},
		"no type":        {"x", "", "application/octet-stream", `attachment; filename=x`},
		"an odd type":    {"x", "image/png\r\nX-Evil: 1", "application/octet-stream", `attachment; filename=x`},
		"parameters":     {"x", "text/plain; charset=utf-7", "text/plain", `attachment; filename=x`},
		"no name":        {"", "application/pdf", "application/pdf", `attachment`},
		"a path":         {"../../etc/passwd", "application/pdf", "application/pdf", `attachment; filename=.._.._etc_passwd`},
		"a header":       {"a\r\nSet-Cookie: x=1", "application/pdf", "application/pdf", `attachment; filename="a__Set-Cookie: x=1"`},
		"quotes":         {`a"b`, "application/pdf", "application/pdf", `attachment; filename="a\"b"`},
		"another script": {"мир.pdf", "application/pdf", "application/pdf", `attachment; filename*=utf-8''%D0%BC%D0%B8%D1%80.pdf`},
	} {
		path := "/attachments/" + add("stored", c.name, c.mime)
		r := a.get(path)
		h := r.Header
		if r.StatusCode != http.StatusOK || !bytes.Equal(r.body, content) || h.Get("Content-Type") != c.kind || h.Get("Content-Disposition") != c.dispositionIs ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Evil")+h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s, %d bytes, %v", name, r.Status, len(r.body), h)
		}
		other.get(path).problem(t, http.StatusNotFound, "not_found")
		a.call(http.MethodGet, path, "", "X-API-Key:").problem(t, http.StatusUnauthorized, "unauthorized")
	}

	remote := add("remote", "photo.jpg", "image/jpeg")
	for range 2 {
		r := a.get("/attachments/" + remote)
		got := decode[rest.Envelope[rest.Attachment]](t, r, http.StatusAccepted).Data
		if got.ID != remote || got.State != inbox.AttachmentRemote || r.Header.Get("Retry-After") == "" || !strings.HasSuffix(got.URL, "/attachments/"+remote) {
			t.Errorf("a file still at the provider: %+v, %v", got, r.Header)
		}
	}
	if n := a.count("SELECT count(*) FROM action WHERE kind = 'fetch_media'"); n != 1 {
		t.Errorf("%d actions fetch the file", n)
	}
	if e := a.get("/attachments/"+add("failed", "x", "")).problem(t, http.StatusNotFound, "not_found"); !strings.Contains(e.Message, "too large") {
		t.Errorf("a file that can't be had: %q", e.Message)
	}
	list := decode[rest.List[rest.Message]](t, a.get("/threads/"+made.ThreadID+"/messages"), http.StatusOK).Data[0].Attachments
	linked := list[0]
	if linked.State != inbox.AttachmentLinked || linked.URL != "https://files.example/a.png" {
		t.Errorf("a linked file: %+v", linked)
	}
	if e := a.get("/attachments/"+linked.ID).problem(t, http.StatusConflict, "conflict"); e.Details.(map[string]any)["url"] != linked.URL {
		t.Errorf("a linked file: %+v", e)
	}
	for _, shown := range list {
		if stored := shown.State == inbox.AttachmentStored; stored && shown.URL != "/v1/apps/socialops/"+a.tenant.Alias+"/attachments/"+shown.ID {
			t.Errorf("a stored file's URL: %s", shown.URL)
		}
	}
}
