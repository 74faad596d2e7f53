package rest

import (
	"net/http"

	"github.com/open4x/socialops/runtime/inbox"
)

// NoInbox answers a call of an alias that nobody serves here, as an alias's own
// server answers what is not below its path.
func NoInbox(w http.ResponseWriter, _ *http.Request) {
	w.Header()["X-Content-Type-Options"] = noSniff
	failure(inbox.CodeNotFound, "there is no inbox at this path: its paths begin with "+BasePath+"<alias>/").write(w)
}
