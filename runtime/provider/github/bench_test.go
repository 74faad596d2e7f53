package github

import (
	"testing"

	"github.com/open4x/socialops/runtime/provider"
)

func BenchmarkNormalize(b *testing.B) {
	for _, file := range []string{"testdata/issues/opened.json", "testdata/pull_request/opened.json", "testdata/push/many_commits.json"} {
		event, body := read1(b, file)
		r := call(event, body)
		b.Run(event, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New().Normalize(r, provider.Proof{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
