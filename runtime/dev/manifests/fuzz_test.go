package manifests

import (
	"path/filepath"
	"testing"
)

// Whatever stands in a file, the answer is objects or problems.
func FuzzFile(f *testing.F) {
	for _, pattern := range []string{"*.yaml", "invalid/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil || len(files) == 0 {
			f.Fatal("no samples", err)
		}
		for _, file := range files {
			data, err := readFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(data), filepath.Base(file))
		}
	}
	f.Add(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}`, "a.json")
	f.Fuzz(func(t *testing.T, content, name string) {
		r := reader{earlier: &Set{}, set: &Set{sources: map[key]Source{}}, unread: map[string]bool{}}
		documents, err := split(name, []byte(content))
		if err != nil {
			return
		}
		for _, d := range documents {
			if object, err := d.decode(); err == nil {
				r.document(t.Context(), Source{File: name}, object)
			}
		}
		for _, o := range r.set.Instances {
			if o.Name == "" || o.Spec.Alias == "" || o.Spec.Owner == "" {
				t.Errorf("taken without what is required: %+v", o)
			}
		}
	})
}
