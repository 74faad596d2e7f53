package telegram

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// FetchMedia opens the file behind a file_id. Reading may be repeated, so
// whatever may pass is Later.
func (p *Provider) FetchMedia(ctx context.Context, c provider.Credential, ref string) (provider.Media, inbox.Outcome) {
	refuse := func(reason string) (provider.Media, inbox.Outcome) {
		return provider.Media{}, inbox.Outcome{Kind: inbox.Refused, Reason: reason}
	}
	token, ok := botToken(c.Secret)
	if !ok {
		return refuse("the connected account holds no bot token: put the one from @BotFather into it")
	}
	if ref == "" {
		return refuse("the attachment has no file")
	}
	ctx, cancel := context.WithTimeout(ctx, p.mediaTimeout)
	media, f := p.fetch(ctx, token, ref)
	if f != nil {
		cancel()
		kind := inbox.Later
		if f.kind == refused {
			kind = inbox.Refused
		}
		return provider.Media{}, inbox.Outcome{Kind: kind, RetryAfter: f.retryAfter, Reason: f.reason}
	}
	media.Body = &mediaBody{body: media.Body, left: provider.MaxMedia, cancel: cancel}
	return media, inbox.Outcome{Kind: inbox.Delivered}
}

func (p *Provider) fetch(ctx context.Context, token, ref string) (provider.Media, *failure) {
	var file models.File
	if f := p.api.call(ctx, token, "getFile", &bot.GetFileParams{FileID: ref}, &file); f != nil {
		return provider.Media{}, f
	}
	if file.FileSize > provider.MaxMedia {
		return provider.Media{}, &failure{kind: refused, reason: tooLarge}
	}
	path, ok := filePath(file.FilePath)
	if !ok {
		return provider.Media{}, &failure{kind: refused, reason: "the Bot API gave no path that could be fetched"}
	}
	resp, f := p.api.do(ctx, http.MethodGet, token, "/file/bot"+token+"/"+path, nil)
	if f != nil {
		return provider.Media{}, f
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		f := &failure{kind: noAnswer, reason: fmt.Sprintf("the file was answered with status %d", resp.StatusCode)}
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			f.kind, f.retryAfter = slowDown, retryAfter(0, resp.Header)
		case resp.StatusCode >= 400 && resp.StatusCode < 500:
			f.kind = refused
		}
		return provider.Media{}, f
	}
	if resp.ContentLength > provider.MaxMedia {
		_ = resp.Body.Close()
		return provider.Media{}, &failure{kind: refused, reason: tooLarge}
	}
	mimeType := cleanMIMEType(resp.Header.Get("Content-Type"))
	if mimeType == "" {
		mimeType = "application/octet-stream"
	}
	return provider.Media{Body: resp.Body, Size: resp.ContentLength, MIMEType: mimeType}, nil
}

const tooLarge = "the file is larger than 20 MB"

// filePath escapes a path that getFile gave. A server in local mode gives one of
// its own disk, which can't be fetched.
func filePath(path string) (string, bool) {
	if path == "" || len(path) > 1024 {
		return "", false
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", false
		}
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/"), true
}

// mediaBody is a file that is being read: never more than is allowed, whatever its headers said.
type mediaBody struct {
	body   io.ReadCloser
	left   int64
	cancel context.CancelFunc
}

func (b *mediaBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more than allowed, to see the end of a file of exactly that size
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		err = inbox.Errorf(inbox.CodeTooLarge, tooLarge)
	}
	b.left -= int64(n)
	return n, err
}

func (b *mediaBody) Close() error {
	b.cancel()
	return b.body.Close()
}

// cleanMIMEType keeps a media type's two words, or nothing of what is none.
func cleanMIMEType(s string) string {
	if s == "" {
		return ""
	}
	t, _, err := mime.ParseMediaType(s)
	if err != nil || len(t) > 127 || strings.Count(t, "/") != 1 {
		return ""
	}
	return t
}
