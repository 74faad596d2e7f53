// Package identity tells a console who asks: OIDC access tokens of an issuer, or
// tokens that a process signs for itself, for development.
package identity
