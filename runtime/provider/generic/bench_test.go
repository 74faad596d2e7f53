package generic

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/open4x/socialops/runtime/provider"
)

func BenchmarkNormalize(b *testing.B) {
	file := func(name string) string {
		body, err := os.ReadFile("testdata/" + name)
		if err != nil {
			b.Fatal(err)
		}
		return string(body)
	}
	for name, body := range map[string]string{
		"spec":       file("spec.json"),
		"everything": file("everything.json"),
		"1MB":        `{"thread_id":"t","text":"` + strings.Repeat("All work and no play. ", 1<<20/22) + `"}`,
		"1MB-lists":  `{"text":"x","ignored":[` + strings.Repeat(`[{"a":1.5},"b"],`, 1<<16) + `0]}`,
	} {
		b.Run(name, func(b *testing.B) {
			r := &provider.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Provider{}).Normalize(r, provider.Proof{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
