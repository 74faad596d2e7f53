package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	// promptBody is up to where a body is left to the server's own time limit: it
	// came with its header, or holds little while it trickles in.
	promptBody = 64 << 10
	// bodyGrace and bodyRate give a large body its time: 35 s for 25 MiB.
	bodyGrace = 10 * time.Second
	bodyRate  = 1 << 20 // bytes a second

	firstRead = 16 << 10 // of a body whose length is not told

	drainLimit = 32 << 20
	drainTime  = 5 * time.Second
)

// readBody reads a body of at most limit bytes into memory that the lease pays for.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, l *lease) ([]byte, *Error) {
	size := r.ContentLength
	switch {
	case size > limit:
		return nil, refuseBody(w, r, tooLarge(limit))
	case size == 0:
		return nil, nil
	}
	if size > promptBody || size < 0 {
		expected := size
		if size < 0 {
			expected = limit
		}
		c := http.NewResponseController(w)
		// A writer without deadlines is a test's; the server's has them.
		if c.SetReadDeadline(time.Now().Add(bodyGrace+time.Duration(expected/bodyRate)*time.Second)) == nil {
			// From here on a read only tells that the client hung up.
			defer func() { _ = c.SetReadDeadline(time.Time{}) }()
		}
	}
	if size > 0 {
		if !l.grow(size) {
			return nil, refuseBody(w, r, crowded())
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unread(err)
		}
		return body, nil
	}
	return readUnsized(w, r, limit, l)
}

// readUnsized reads a body that does not tell its length, doubling as it comes.
func readUnsized(w http.ResponseWriter, r *http.Request, limit int64, l *lease) ([]byte, *Error) {
	var body []byte
	for {
		if len(body) == cap(body) {
			// One byte over the limit tells a body that is too large from one that just fits.
			size := min(max(2*int64(cap(body)), firstRead), limit+1)
			if !l.grow(size - int64(cap(body))) {
				return nil, refuseBody(w, r, crowded())
			}
			grown := make([]byte, len(body), size)
			copy(grown, body)
			body = grown
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, refuseBody(w, r, tooLarge(limit))
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, unread(err)
		}
	}
}

// refuseBody reads on for a while without keeping anything, as a client that is
// still sending would not see the answer. One that asked first need not send.
func refuseBody(w http.ResponseWriter, r *http.Request, e *Error) *Error {
	if r.Header.Get("Expect") == "" && r.ContentLength <= drainLimit {
		if http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime)) == nil {
			_, _ = io.CopyN(io.Discard, r.Body, drainLimit)
		}
	}
	return e.With("Connection", "close")
}

func tooLarge(limit int64) *Error {
	return Failure(inbox.CodeTooLarge, fmt.Sprintf("the body is larger than this inbox takes: send at most %d bytes", limit))
}

func crowded() *Error {
	return Failure(inbox.CodeUnavailable, "too many large bodies are being taken in right now: send it again").retryAfter(retrySoon)
}

func unread(err error) *Error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Failure(inbox.CodeInvalid, "the body came too slowly: send it again over a faster line, or send less").because(err).With("Connection", "close")
	}
	return Failure(codeGone, "the body ended early").because(err)
}
