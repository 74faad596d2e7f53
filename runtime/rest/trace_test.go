package rest_test

import (
	"net/http"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres/pgtest"
	"github.com/open4x/socialops/runtime/rest"
)

func TestTraces(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
	a := start(t, pgtest.New(t), func(_ *inbox.Instance, o *rest.Options) { o.Tracer = provider.Tracer("test") })
	const remote = "0af7651916cd43dd8448eb211c80319c"
	a.call(http.MethodPost, "/webhook/generic-webhook", specEvent, "Traceparent: 00-"+remote+"-b7ad6b7169203331-01")
	a.get("/threads/soth_xxx")
	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans", len(ended))
	}
	for i, want := range []string{"POST /webhook/{provider}", "GET /threads/{thread_id}"} {
		if got := ended[i].Name(); got != want {
			t.Errorf("span %q, want %q", got, want)
		}
	}
	// A stranger's trace is linked, not joined.
	first := ended[0]
	if first.SpanContext().TraceID().String() == remote || len(first.Links()) != 1 || first.Links()[0].SpanContext.TraceID().String() != remote || len(ended[1].Links()) != 0 {
		t.Errorf("trace %s, links %v", first.SpanContext().TraceID(), first.Links())
	}
	attributes := map[string]string{}
	for _, kv := range first.Attributes() {
		attributes[string(kv.Key)] = kv.Value.String()
	}
	for name, want := range map[string]string{"http.route": "/webhook/{provider}", "http.response.status_code": "202", "http.request.method": "POST", "socialops.alias": a.tenant.Alias} {
		if attributes[name] != want {
			t.Errorf("%s: %q, want %q", name, attributes[name], want)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	a := start(t, pgtest.New(t))
	r := a.get("/inbox")
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "", "Server": "", "X-Ratelimit-Limit": "",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if head := a.call(http.MethodHead, "/events", ""); head.StatusCode != http.StatusOK || head.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD of the stream, which must end: %s", head.Status)
	}
}
