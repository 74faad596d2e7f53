package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one manifest of a file, still as text.
type document struct {
	text []byte
	line int // how many lines of the file stand before it
	at   int // how many bytes of the file, less a byte order mark, stand before it
	json bool
}

var byteOrderMark = []byte("\ufeff")

// split cuts a file into its documents, leaving out those that hold nothing but comments.
func split(name string, data []byte) ([]document, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if filepath.Ext(name) == ".json" {
		return splitJSON(data)
	}
	return splitYAML(data)
}

func splitYAML(data []byte) ([]document, error) {
	var documents []document
	start, startLine, blank := 0, 0, true
	add := func(end int) {
		if !blank {
			documents = append(documents, document{text: data[start:end], line: startLine, at: start})
		}
	}
	for at, line := 0, 0; at < len(data); line++ {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		text := bytes.TrimSpace(data[at:end])
		switch {
		case bytes.HasPrefix(data[at:end], []byte("---")) || (data[at] == '.' && string(text) == "..."):
			if rest := bytes.TrimSpace(text[3:]); len(rest) > 0 && rest[0] != '#' {
				return nil, fmt.Errorf("line %d: only a comment may follow --- on its line", line+1)
			}
			add(at)
			start, startLine, blank = end, line+1, true
		case len(text) > 0 && text[0] != '#':
			blank = false
		}
		at = end
	}
	add(len(data))
	return documents, nil
}

func splitJSON(data []byte) ([]document, error) {
	var documents []document
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			at := min(decoder.InputOffset(), int64(len(data)))
			if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
				at = min(syntax.Offset, int64(len(data)))
			}
			return nil, fmt.Errorf("line %d: %w", 1+bytes.Count(data[:at], []byte("\n")), err)
		}
		documents = append(documents, document{text: raw, json: true})
	}
}

// decode reads the document into an object. A key that stands twice is an error: one
// of the two would silently be lost.
func (d document) decode() (map[string]any, error) {
	text := d.text
	if !d.json {
		var err error
		// The parser doesn't tell the line of an error on the first one, so there is one more.
		if text, err = yaml.YAMLToJSONStrict(append([]byte("\n"), d.text...)); err != nil {
			return nil, d.yamlError(err)
		}
	}
	var content any
	duplicates, err := kjson.UnmarshalStrict(text, &content)
	if err = errors.Join(append(duplicates, err)...); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	object, ok := content.(map[string]any)
	if !ok {
		return nil, errors.New("must be an object with apiVersion, kind and metadata")
	}
	return object, nil
}

var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// yamlError words the parser's error on one line, with line numbers of the file.
func (d document) yamlError(err error) error {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	message = strings.TrimPrefix(message, "unmarshal errors:\n  ")
	message = strings.ReplaceAll(message, "\n  ", "; ")
	return errors.New(yamlLine.ReplaceAllStringFunc(message, func(s string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(s, "line "))
		if err != nil {
			return s
		}
		return fmt.Sprintf("line %d", d.line+n-1)
	}))
}
