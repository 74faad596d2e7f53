// Command socialops is every part of SocialOps; the subcommand says which.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // the image has no distribution's certificates
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/open4x/socialops/controllers"
	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/admin"
	"github.com/open4x/socialops/runtime/dev"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "socialops:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "socialops",
		Short:         "A unified inbox that runs on Kubernetes, or here",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.PersistentFlags().String("log-level", envOr("SOCIALOPS_LOG_LEVEL", "info"), "debug, info, warn or error")
	c.PersistentFlags().String("log-format", envOr("SOCIALOPS_LOG_FORMAT", "text"), "text or json")
	c.AddCommand(devCommand(), runtimeCommand(), workerCommand(), migrateCommand(), keyCommand(), actionCommand(), creditCommand(), ledgerCommand(), forgetCommand(), operatorCommand(), instanceCommand(), simulatorCommand())
	return c
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// logger writes to standard error, so that output stays clean.
func logger(c *cobra.Command) (*slog.Logger, error) {
	name, _ := c.Flags().GetString("log-level")
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", name)
	}
	options := &slog.HandlerOptions{Level: level}
	switch format, _ := c.Flags().GetString("log-format"); format {
	case "text":
		return slog.New(slog.NewTextHandler(c.ErrOrStderr(), options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(c.ErrOrStderr(), options)), nil
	default:
		return nil, fmt.Errorf("--log-format %q: want text or json", format)
	}
}

// databaseURL comes from the environment or a file, never from an argument that
// every user of the machine can read.
func databaseURL(variable string) (string, error) {
	if path := os.Getenv(variable + "_FILE"); path != "" {
		b, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return "", fmt.Errorf("reading %s_FILE: %w", variable, err)
		}
		return strings.TrimSpace(string(b)), nil
	}
	if url := os.Getenv(variable); url != "" {
		return url, nil
	}
	return "", fmt.Errorf("set %s (or %s_FILE, the path of a file that holds it) to the database's URL", variable, variable)
}

// directURL is the database past any pooler, "" when nothing names it.
func directURL() (string, error) {
	if os.Getenv("DATABASE_DIRECT_URL") == "" && os.Getenv("DATABASE_DIRECT_URL_FILE") == "" {
		return "", nil
	}
	return databaseURL("DATABASE_DIRECT_URL")
}

// botAPI is where Telegram is found.
type botAPI struct{ url, caFile string }

func (b *botAPI) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&b.url, "telegram-api-url", "", "address of the Bot API (default https://api.telegram.org)")
	c.Flags().StringVar(&b.caFile, "telegram-ca-file", "", "certificates (PEM) to trust beside the public ones, for a Bot API server of one's own")
}

func (b *botAPI) options() (telegram.Options, error) {
	o := telegram.Options{APIURL: b.url}
	if b.caFile == "" {
		return o, nil
	}
	pem, err := os.ReadFile(filepath.Clean(b.caFile))
	if err != nil {
		return o, fmt.Errorf("reading --telegram-ca-file: %w", err)
	}
	if o.RootCAs, err = x509.SystemCertPool(); err != nil {
		o.RootCAs = x509.NewCertPool()
	}
	if !o.RootCAs.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("--telegram-ca-file: %s holds no certificate", b.caFile)
	}
	return o, nil
}

// adminURL is the database of --data-dir's running `socialops dev`, else DATABASE_URL's.
func adminURL(c *cobra.Command) (string, error) {
	if dir, _ := c.Flags().GetString("data-dir"); dir != "" {
		return dev.DatabaseURL(dir)
	}
	return databaseURL("DATABASE_URL")
}

func secretFile(variable string) ([]byte, error) {
	path := os.Getenv(variable)
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", variable, err)
	}
	return b, nil
}

func runtimeCommand() *cobra.Command {
	var cfg runtime.Config
	c := &cobra.Command{
		Use:   "runtime",
		Short: "Serve one alias's inbox",
		Long: "Serves /v1/apps/socialops/ALIAS. DATABASE_URL (or DATABASE_URL_FILE) leads to Postgres as the alias's own role;\n" +
			"SOCIALOPS_INSTANCE_KEY_FILE names the file that holds the instance's 32-byte key.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if cfg.Alias == "" {
				return errors.New("--alias is missing: which inbox is this?")
			}
			if cfg.Log, err = logger(c); err != nil {
				return err
			}
			if cfg.DatabaseURL, err = databaseURL("DATABASE_URL"); err != nil {
				return err
			}
			if cfg.InstanceKey, err = secretFile("SOCIALOPS_INSTANCE_KEY_FILE"); err != nil {
				return err
			}
			cfg.Providers, cfg.Version = all.Providers(all.Options{}), version
			return runtime.Serve(c.Context(), cfg)
		},
	}
	c.Flags().StringVar(&cfg.Alias, "alias", os.Getenv("SOCIALOPS_ALIAS"), "the inbox to serve (SOCIALOPS_ALIAS)")
	c.Flags().StringVar(&cfg.Listen, "listen", ":8080", "address of the API")
	c.Flags().StringVar(&cfg.Health, "health-listen", ":8081", "address of /healthz, /readyz and /metrics; empty for none")
	c.Flags().DurationVar(&cfg.Drain, "drain", 0, "how long to go on serving once told to stop")
	return c
}

func workerCommand() *cobra.Command {
	var cfg runtime.WorkerConfig
	var bots botAPI
	var unpaced bool
	c := &cobra.Command{
		Use:   "worker",
		Short: "Deliver queued replies",
		Long: "Claims actions of every alias and carries them out. DATABASE_URL leads to Postgres as the worker's role,\n" +
			"DATABASE_DIRECT_URL past any pooler (without it new replies are noticed by polling), and\n" +
			"SOCIALOPS_ENCRYPTION_KEY_FILE names the file that holds the 32-byte key of provider credentials.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if cfg.Log, err = logger(c); err != nil {
				return err
			}
			if cfg.DatabaseURL, err = databaseURL("DATABASE_URL"); err != nil {
				return err
			}
			if cfg.DirectURL, err = directURL(); err != nil {
				return err
			}
			if cfg.EncryptionKey, err = secretFile("SOCIALOPS_ENCRYPTION_KEY_FILE"); err != nil {
				return err
			}
			if cfg.EncryptionKey == nil {
				return errors.New("set SOCIALOPS_ENCRYPTION_KEY_FILE to the path of the credentials' key")
			}
			options, err := bots.options()
			if err != nil {
				return err
			}
			if unpaced {
				options.Paces = &telegram.Paces{}
			}
			cfg.Providers, cfg.Version = all.Providers(all.Options{Telegram: options}), version
			return runtime.Work(c.Context(), cfg)
		},
	}
	c.Flags().DurationVar(&cfg.Window, "window", 0, "how long to live, such as 75s; 0: until stopped")
	c.Flags().StringVar(&cfg.Health, "health-listen", "", "address of /healthz, /readyz and /metrics; empty for none")
	bots.addFlags(c)
	c.Flags().BoolVar(&unpaced, "no-pacing", false, "send as fast as it goes: for benchmarks against a simulator only")
	_ = c.Flags().MarkHidden("no-pacing")
	return c
}

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long:  "Runs as the database's owner over DATABASE_DIRECT_URL, or else DATABASE_URL. Several may run at once: one works, the others wait.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := logger(c)
			if err != nil {
				return err
			}
			url, err := databaseURL("DATABASE_DIRECT_URL")
			if err != nil {
				if url, err = databaseURL("DATABASE_URL"); err != nil {
					return err
				}
			}
			if err := postgres.Migrate(c.Context(), url, log); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "the schema is up to date")
			return nil
		},
	}
}

func operatorCommand() *cobra.Command {
	var o controllers.Options
	var bots botAPI
	c := &cobra.Command{
		Use:   "operator",
		Short: "Make a cluster what its SocialOpsInstances and ChannelBindings say",
		Long: "Runs in a cluster, usually installed by its Helm chart. DATABASE_URL (or DATABASE_URL_FILE) leads to Postgres as the\n" +
			"database's owner with CREATEROLE, possibly through a pooler; DATABASE_DIRECT_URL past it. POD_NAMESPACE is the operator's own.",
		Args: cobra.NoArgs,
	}
	read := o.AddFlags(c.Flags())
	bots.addFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := read(); err != nil {
			return err
		}
		if o.Log, err = logger(c); err != nil {
			return err
		}
		controllers.SetGlobalLogger(o.Log)
		if o.TrialSecret == "" {
			if o.DatabaseURL, err = databaseURL("DATABASE_URL"); err != nil {
				return err
			}
			if o.DirectURL, err = directURL(); err != nil {
				return err
			}
		}
		options, err := bots.options()
		if err != nil {
			return err
		}
		if o.RESTConfig, err = ctrl.GetConfig(); err != nil {
			return fmt.Errorf("finding the Kubernetes API server: %w", err)
		}
		o.Providers, o.Version, o.Namespace = all.Providers(all.Options{Telegram: options}), version, os.Getenv("POD_NAMESPACE")
		return controllers.Run(c.Context(), o)
	}
	c.AddCommand(releaseFinalizersCommand())
	return c
}

func releaseFinalizersCommand() *cobra.Command {
	var o controllers.ReleaseOptions
	c := &cobra.Command{
		Use:   "release-finalizers",
		Short: "Let everything that the operator looked after be deleted without it",
		Args:  cobra.NoArgs,
	}
	read := o.AddFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if err := read(); err != nil {
			return err
		}
		if o.Log, err = logger(c); err != nil {
			return err
		}
		controllers.SetGlobalLogger(o.Log)
		if o.RESTConfig, err = ctrl.GetConfig(); err != nil {
			return fmt.Errorf("finding the Kubernetes API server: %w", err)
		}
		o.Namespace = os.Getenv("POD_NAMESPACE")
		return controllers.ReleaseFinalizers(c.Context(), o)
	}
	return c
}

func instanceCommand() *cobra.Command {
	c := &cobra.Command{Use: "instance", Short: "Look after instances' data"}
	c.AddCommand(adminFlags(&cobra.Command{
		Use:   "release ALIAS",
		Short: "Let whoever claims a deleted instance's alias next have it, with the data that was kept",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) {
				return a.ReleaseInstance(ctx, args[0])
			})
		},
	}))
	return c
}

func devCommand() *cobra.Command {
	var cfg dev.Config
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process, on a Postgres of its own",
		Long: "Runs the inbox, the worker and a private Postgres in one process, with manifests read from a folder instead of\n" +
			"a cluster. Each alias's API key is written to DIR/keys/ALIAS. Ctrl-C leaves nothing running.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if cfg.Log, err = logger(c); err != nil {
				return err
			}
			cfg.Out, cfg.Version = c.OutOrStdout(), version
			return dev.Run(c.Context(), cfg)
		},
	}
	c.Flags().StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "address to serve on")
	c.Flags().StringVar(&cfg.DataDir, "data-dir", ".socialops", "where data and keys are kept")
	c.Flags().StringVar(&cfg.Manifests, "manifests", "config/samples", "folder of SocialOpsInstances, ChannelBindings and Secrets; changes are picked up")
	c.Flags().StringVar(&cfg.TelegramAPIURL, "telegram-api-url", "", "address of the Bot API (default https://api.telegram.org)")
	c.Flags().StringVar(&cfg.PublicURL, "public-url", "", "address that providers reach this process at (default: that of --listen)")
	c.Flags().BoolVar(&cfg.Demo, "demo", false, "start the bundled Telegram simulator, take in sample events of each provider, deliver a reply")
	return c
}

func simulatorCommand() *cobra.Command {
	var listen, cert, key string
	var limits bool
	c := &cobra.Command{
		Use:    "telegram-simulator",
		Short:  "Answer as the Telegram Bot API does, for tests and demos",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o := botapisim.Options{AnyBot: true, Control: true}
			if limits {
				o.Limits = &botapisim.TelegramLimits
			}
			if cert != "" {
				pair, err := tls.LoadX509KeyPair(cert, key)
				if err != nil {
					return fmt.Errorf("reading the certificate: %w", err)
				}
				o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
			}
			l, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", listen)
			if err != nil {
				return fmt.Errorf("listening: %w", err)
			}
			return botapisim.Serve(c.Context(), l, o)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8082", "address to serve on")
	c.Flags().StringVar(&cert, "tls-cert", "", "certificate file; empty: plain HTTP")
	c.Flags().StringVar(&key, "tls-key", "", "the certificate's key file")
	c.Flags().BoolVar(&limits, "limits", false, "enforce Telegram's rate limits")
	return c
}

// adminFlags adds the flags of commands that ask the database once.
func adminFlags(c *cobra.Command) *cobra.Command {
	c.Flags().String("data-dir", "", "the data folder of a running `socialops dev`; without it DATABASE_URL leads to the database as its owner")
	c.Flags().StringP("output", "o", "text", "text or json")
	return c
}

// withAdmin opens the database as its owner, asks, and prints the answer.
func withAdmin(c *cobra.Command, ask func(context.Context, *admin.Admin) (admin.Answer, error)) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	return askAdmin(ctx, c, ask)
}

// askAdmin is withAdmin for what may take long.
func askAdmin(ctx context.Context, c *cobra.Command, ask func(context.Context, *admin.Admin) (admin.Answer, error)) error {
	format, _ := c.Flags().GetString("output")
	if format != "text" && format != "json" {
		return fmt.Errorf("--output %q: want text or json", format)
	}
	url, err := adminURL(c)
	if err != nil {
		return err
	}
	a, err := admin.Open(ctx, url)
	if err != nil {
		return err
	}
	defer a.Close()
	answer, err := ask(ctx, a)
	if err != nil {
		return err
	}
	if format == "json" {
		return answer.WriteJSON(c.OutOrStdout())
	}
	return answer.WriteText(c.OutOrStdout())
}

func keyCommand() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "Create, list and revoke API keys"}
	var name string
	var scopes []string
	var expires time.Duration
	create := &cobra.Command{
		Use:   "create ALIAS",
		Short: "Create an API key and print it, once",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) {
				return a.CreateKey(ctx, args[0], name, scopes, expires)
			})
		},
	}
	create.Flags().StringVar(&name, "name", "", "what the key is for")
	create.Flags().StringSliceVar(&scopes, "scopes", []string{inbox.ScopeRead, inbox.ScopeWrite}, "what the key may do")
	create.Flags().DurationVar(&expires, "expires", 0, "how long it is valid, such as 720h; 0: until revoked")
	list := &cobra.Command{
		Use:   "list ALIAS",
		Short: "List an alias's API keys",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) { return a.ListKeys(ctx, args[0]) })
		},
	}
	revoke := &cobra.Command{
		Use:   "revoke ALIAS KEY_ID",
		Short: "Revoke an API key; runtimes refuse it within 5 seconds",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) {
				return a.RevokeKey(ctx, args[0], args[1])
			})
		},
	}
	c.AddCommand(adminFlags(create), adminFlags(list), adminFlags(revoke))
	return c
}

func actionCommand() *cobra.Command {
	c := &cobra.Command{Use: "action", Short: "Look after the worker's actions"}
	c.AddCommand(adminFlags(&cobra.Command{
		Use:   "requeue ID",
		Short: "Have a failed reply sent again, from its first part that was not delivered",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) { return a.RequeueAction(ctx, args[0]) })
		},
	}))
	return c
}

func creditCommand() *cobra.Command {
	var reference string
	c := &cobra.Command{
		Use:   "credit ALIAS USD",
		Short: "Add to an alias's balance",
		Long:  "Adds an amount such as 25 or 0.0002 to the balance. The same reference is credited once, however often the command runs.",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) {
				return a.Credit(ctx, args[0], args[1], reference)
			})
		},
	}
	c.Flags().StringVar(&reference, "reference", "", "what makes this credit the only one of its kind, such as an invoice number")
	_ = c.MarkFlagRequired("reference")
	return adminFlags(c)
}

func ledgerCommand() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "Look after the money"}
	c.AddCommand(adminFlags(&cobra.Command{
		Use:   "check",
		Short: "Check that every balance is the sum of its entries",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withAdmin(c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) { return a.CheckLedger(ctx) })
		},
	}))
	return c
}

func forgetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "forget",
		Short: "Remove a person or a conversation for good",
		Long: "Removes messages with their payloads and attachments, in batches; broken off, it goes on when it is run again. Ledger\n" +
			"entries stay, and hashes by which repeats of the removed events are known.",
	}
	for _, what := range []struct {
		use, short string
		forget     func(*admin.Admin, context.Context, string, string) (admin.Answer, error)
	}{
		{"contact ALIAS ID", "Remove a person: their conversations, and what they wrote in others'", (*admin.Admin).ForgetContact},
		{"thread ALIAS ID", "Remove a conversation, and whoever wrote in no other", (*admin.Admin).ForgetThread},
	} {
		c.AddCommand(adminFlags(&cobra.Command{
			Use:   what.use,
			Short: what.short,
			Args:  cobra.ExactArgs(2),
			RunE: func(c *cobra.Command, args []string) error {
				return askAdmin(c.Context(), c, func(ctx context.Context, a *admin.Admin) (admin.Answer, error) {
					return what.forget(a, ctx, args[0], args[1])
				})
			},
		}))
	}
	return c
}
