// Package rest is the native HTTP API of one inbox, under
// /v1/apps/socialops/:alias. A [Server] answers for one alias.
//
// There are two ways through it. Webhooks ([Server] in webhook.go) are the hot
// path: plain net/http, one allocation for the body, answers written by hand.
// Everything else is declared with huma (api.go), which checks parameters and
// bodies against the same Go types that the OpenAPI document is made from.
//
// Both share what a caller meets everywhere: API keys and scopes (auth.go), the
// rate limit of each key (ratelimit.go), errors of one shape (errors.go), request
// ids, metrics, logs and traces (observe.go). The instance's settings come from a
// cache that is never older than five seconds (settings.go), so that a key that
// was revoked is refused soon and a request costs no query for them.
//
// A response never holds a provider's ids of threads and contacts, nor a raw
// payload: the shapes in shapes.go have no field for them.
package rest
