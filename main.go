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

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // the image has no distribution's certificates
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/open4x/socialops/controllers"
	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/admin"
	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/dev"
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
	c.AddCommand(devCommand(), runtimeCommand(), workerCommand(), migrateCommand(), operatorCommand(), simulatorCommand(), issuerCommand())
	c.AddCommand(admin.Commands(adminURL)...)
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

// adminURL is the database of a data folder's running `socialops dev`, else DATABASE_URL's.
func adminURL(dataDir string) (string, error) {
	if dataDir != "" {
		return dev.DatabaseURL(dataDir)
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

// listenerFlags are where a simulator listens, and with which certificate.
type listenerFlags struct{ listen, cert, key string }

func (f *listenerFlags) add(c *cobra.Command, listen string) {
	c.Flags().StringVar(&f.listen, "listen", listen, "address to serve on")
	c.Flags().StringVar(&f.cert, "tls-cert", "", "certificate file; empty: plain HTTP")
	c.Flags().StringVar(&f.key, "tls-key", "", "the certificate's key file")
}

// open listens; the configuration is nil for plain HTTP.
func (f *listenerFlags) open(ctx context.Context) (net.Listener, *tls.Config, error) {
	var config *tls.Config
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the certificate: %w", err)
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return nil, nil, fmt.Errorf("listening: %w", err)
	}
	return l, config, nil
}

func issuerCommand() *cobra.Command {
	var at listenerFlags
	var o oidcsim.Options
	c := &cobra.Command{
		Use:    "oidc-simulator",
		Short:  "Sign anybody in as whoever they say, for tests and demos",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, config, err := at.open(c.Context())
			if err != nil {
				return err
			}
			if config != nil {
				l = tls.NewListener(l, config)
			}
			o.Control = true
			return oidcsim.Serve(c.Context(), l, oidcsim.New(o))
		},
	}
	at.add(c, "127.0.0.1:8083")
	c.Flags().StringVar(&o.URL, "url", "http://127.0.0.1:8083", "the issuer's name: where others find it")
	c.Flags().StringVar(&o.Audience, "audience", "socialops", "whom access tokens are for")
	return c
}

func simulatorCommand() *cobra.Command {
	var at listenerFlags
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
			l, config, err := at.open(c.Context())
			if err != nil {
				return err
			}
			o.TLS = config
			return botapisim.Serve(c.Context(), l, o)
		},
	}
	at.add(c, "127.0.0.1:8082")
	c.Flags().BoolVar(&limits, "limits", false, "enforce Telegram's rate limits")
	return c
}
