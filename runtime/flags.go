package runtime

import (
	"cmp"
	"os"

	"github.com/spf13/pflag"

	"github.com/open4x/socialops/runtime/console"
)

const healthUsage = "address of /healthz, /readyz and /metrics; empty for none"

// AddFlags adds what an admin tells a runtime, but for what is secret and comes from
// the environment.
func (c *Config) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Alias, "alias", os.Getenv("SOCIALOPS_ALIAS"), "the inbox to serve (SOCIALOPS_ALIAS)")
	f.StringVar(&c.Listen, "listen", ":8080", "address of the API")
	f.StringVar(&c.Health, "health-listen", ":8081", healthUsage)
	f.DurationVar(&c.Drain, "drain", 0, "how long to go on serving once told to stop")
}

// AddFlags adds what an admin tells a worker.
func (c *WorkerConfig) AddFlags(f *pflag.FlagSet) {
	f.DurationVar(&c.Window, "window", 0, "how long to live, such as 75s; 0: until stopped")
	f.StringVar(&c.Health, "health-listen", "", healthUsage)
}

// AddFlags adds what an admin tells a console.
func (c *ConsoleConfig) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Listen, "listen", ":8080", "address of the page and its API")
	f.StringVar(&c.Health, "health-listen", ":8081", healthUsage)
	f.DurationVar(&c.Drain, "drain", 0, "how long to go on serving once told to stop")
	f.StringVar(&c.Issuer, "oidc-issuer", os.Getenv("SOCIALOPS_OIDC_ISSUER"), "address of the OpenID Connect issuer, as its tokens have it (SOCIALOPS_OIDC_ISSUER)")
	f.StringVar(&c.Audience, "oidc-audience", cmp.Or(os.Getenv("SOCIALOPS_OIDC_AUDIENCE"), "socialops"), "whom access tokens must be for (SOCIALOPS_OIDC_AUDIENCE)")
	f.StringVar(&c.ClientID, "oidc-client-id", os.Getenv("SOCIALOPS_OIDC_CLIENT_ID"), "the page's client at the issuer: a public one, with PKCE (SOCIALOPS_OIDC_CLIENT_ID)")
	f.StringVar(&c.Scopes, "oidc-scopes", "openid profile offline_access", "what the page asks the issuer for, with spaces between")
	f.StringVar(&c.PermissionsClaim, "oidc-permissions-claim", "permissions", "claim of access tokens with what a user may do: an array or a text with spaces; a dot leads into an object")
	f.StringVar(&c.IssuerCAFile, "oidc-ca-file", "", "certificates (PEM) to trust beside the public ones, for an issuer of one's own")
	f.StringVar(&c.AdminPermission, "admin-permission", console.DefaultAdminPermission, "permission of staff who may grant credits to any alias")
	f.StringVar(&c.RuntimeURL, "runtime-url-template", DefaultRuntimeURL, "where an instance's runtime is reached, with {name}, {namespace} and {alias}")
	f.StringVar(&c.PublicURL, "public-url", "", "where providers reach every alias's API, such as https://inbox.example.com")
}
