// Package samples holds the sample manifests for tests: those that are taken, and
// those that are refused, with the words that each promises to be refused with.
package samples

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Files are the manifests as they stand in this folder.
//
//go:embed *.yaml invalid
var Files embed.FS

// Invalid is a manifest that breaks one rule.
type Invalid struct {
	Name     string // of its file
	Manifest string
	// Before is the version that stands when the manifest is applied as a change of it;
	// empty: none does.
	Before string
	// Wants are the words that it is refused with: each is part of one message, and
	// each message has one of them.
	Wants []string
}

// Refused lists the manifests of the folder invalid, which are refused as new objects,
// and those of invalid/changed, which are refused as changes. A file's leading comments
// say what it is refused with:
//
//	# want: spec.alias: Required value
func Refused() ([]Invalid, error) {
	var all []Invalid
	for _, dir := range []string{"invalid", "invalid/changed"} {
		entries, err := Files.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("listing the invalid samples: %w", err)
		}
		for _, entry := range entries {
			if entry.IsDir() {
				continue
			}
			data, err := Files.ReadFile(path.Join(dir, entry.Name()))
			if err != nil {
				return nil, fmt.Errorf("reading an invalid sample: %w", err)
			}
			sample := Invalid{Name: entry.Name(), Manifest: string(data), Wants: wants(string(data))}
			if before, after, two := strings.Cut(sample.Manifest, "\n---\n"); two {
				sample.Before, sample.Manifest = before, after
			}
			if len(sample.Wants) == 0 || (sample.Before != "") != (dir == "invalid/changed") {
				return nil, fmt.Errorf("%s/%s: want the words that it is refused with, and two versions of a changed object, else one", dir, entry.Name())
			}
			all = append(all, sample)
		}
	}
	return all, nil
}

func wants(manifest string) []string {
	var list []string
	for line := range strings.Lines(manifest) {
		if want, ok := strings.CutPrefix(line, "# want: "); ok {
			list = append(list, strings.TrimSpace(want))
		}
	}
	return list
}

// Differences tells in what messages differ from what is wanted, a line each.
func (i *Invalid) Differences(messages []string) []string {
	var diff []string
	for _, want := range i.Wants {
		if !slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, want) }) {
			diff = append(diff, fmt.Sprintf("no message says %q", want))
		}
	}
	for _, m := range messages {
		if !slices.ContainsFunc(i.Wants, func(want string) bool { return strings.Contains(m, want) }) {
			diff = append(diff, "not expected: "+m)
		}
	}
	return diff
}
