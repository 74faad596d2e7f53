package botapisim

import (
	"net/http"
	"path"
	"strconv"

	"github.com/go-telegram/bot/models"
)

// File is a file that someone sent.
type File struct {
	Name     string
	MIMEType string
	Content  []byte
	// HideSize has neither getFile nor the download tell how long it is.
	HideSize bool
	// ServedAs is the download's content type; empty means application/octet-stream, as Telegram's.
	ServedAs string

	path string
}

// maxDownload is the size of the largest file that the Bot API gives out.
const maxDownload = 20 << 20

// AddFile makes a file known and returns its file_id.
func (s *Sim) AddFile(f File) string {
	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	s.nextRef++
	ref := "FILE" + strconv.Itoa(s.nextRef)
	f.path = "documents/file_" + strconv.Itoa(s.nextRef) + path.Ext(f.Name)
	s.files[ref] = &f
	return ref
}

func (s *Sim) file(ref string) *File {
	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	return s.files[ref]
}

func (b *bot) getFile(a args) result {
	ref := a["file_id"]
	f := b.sim.file(ref)
	switch {
	case f == nil:
		return failed(http.StatusBadRequest, "Bad Request: wrong file_id or the file is temporarily unavailable")
	case len(f.Content) > maxDownload && !f.HideSize:
		return failed(http.StatusBadRequest, "Bad Request: file is too big")
	}
	file := models.File{FileID: ref, FileUniqueID: "u" + ref, FilePath: f.path}
	if !f.HideSize {
		file.FileSize = int64(len(f.Content))
	}
	return done(file)
}

func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request, token, filePath string) {
	s.serve(w, r, call{
		token: token, method: "file", args: args{"path": filePath},
		run: func() result {
			if s.bot(token) == nil {
				return failed(http.StatusUnauthorized, "Unauthorized")
			}
			s.fileMu.Lock()
			defer s.fileMu.Unlock()
			for _, f := range s.files {
				if f.path == filePath {
					return done(f)
				}
			}
			return failed(http.StatusNotFound, "Not Found")
		},
		write: writeFile,
		bytes: func(res result) []byte {
			if f, ok := res.value.(*File); ok {
				return f.Content
			}
			return res.body()
		},
	})
}

func writeFile(w http.ResponseWriter, res result) {
	f, ok := res.value.(*File)
	if !ok {
		reply(w, res)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if f.ServedAs != "" {
		h.Set("Content-Type", f.ServedAs)
	}
	if !f.HideSize {
		h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	}
	w.WriteHeader(http.StatusOK)
	for rest := f.Content; len(rest) > 0; {
		n := min(len(rest), 64<<10)
		if _, err := w.Write(rest[:n]); err != nil {
			return
		}
		rest = rest[n:]
	}
}
