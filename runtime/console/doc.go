// Package console is where people work: the API under /console/socialops, with
// which they read, decide and answer in the inboxes that are theirs, and the page
// that does it in a browser. Calls about conversations are those of the native API
// (package rest); what this package adds is who asks, and what only people do.
package console
