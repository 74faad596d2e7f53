package privatepg

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"syscall"
)

const (
	maxLog    = 10 << 20
	quoteMost = 4 << 10
	quoteRows = 12
)

// openLog opens the log for appending, emptied first where it has grown large.
func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("privatepg: open the log: %w", err)
	}
	fi, err := f.Stat()
	if err == nil && fi.Size() > maxLog {
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("privatepg: rotate the log: %w", err)
	}
	return f, nil
}

// tailFrom quotes the end of what the log gained since offset.
func tailFrom(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err.Error()
	}
	offset = max(offset, fi.Size()-quoteMost)
	b, err := io.ReadAll(io.NewSectionReader(f, offset, quoteMost))
	if err != nil {
		return err.Error()
	}
	if len(b) == 0 {
		return "it logged nothing"
	}
	return lastLines(b)
}

func lastLines(b []byte) string {
	b = bytes.TrimSpace(b[max(0, len(b)-quoteMost):])
	lines := bytes.Split(b, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-quoteRows):], []byte("\n")))
}
