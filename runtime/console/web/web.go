// Package web is the console's page, as `make build` left it in dist.
package web

import "embed"

// Files holds the built page below dist. Before the first build it holds none, so
// that the program builds without npm.
//
//go:embed all:dist
var Files embed.FS
