// Command socialops is every part of SocialOps; the subcommand says which.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/console/kube"
	"github.com/open4x/socialops/runtime/dev"
	"github.com/open4x/socialops/runtime/postgres"
	"github.com/open4x/socialops/runtime/provider/all"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/simulators"
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
	c.PersistentFlags().String("log-level", cmp.Or(os.Getenv("SOCIALOPS_LOG_LEVEL"), "info"), "debug, info, warn or error")
	c.PersistentFlags().String("log-format", cmp.Or(os.Getenv("SOCIALOPS_LOG_FORMAT"), "text"), "text or json")
	c.AddCommand(devCommand(), runtimeCommand(), workerCommand(), consoleCommand(), migrateCommand(), operatorCommand())
	c.AddCommand(admin.Commands(adminURL)...)
	c.AddCommand(simulators.Commands()...)
	return c
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
	cas, err := runtime.TrustedCAs("telegram-ca-file", b.caFile)
	o.RootCAs = cas
	return o, err
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
	cfg.AddFlags(c.Flags())
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
	cfg.AddFlags(c.Flags())
	bots.addFlags(c)
	c.Flags().BoolVar(&unpaced, "no-pacing", false, "send as fast as it goes: for benchmarks against a simulator only")
	_ = c.Flags().MarkHidden("no-pacing")
	return c
}

func consoleCommand() *cobra.Command {
	var cfg runtime.ConsoleConfig
	c := &cobra.Command{
		Use:   "console",
		Short: "Serve the page that people work with, for every instance of theirs",
		Long: "Runs in a cluster, usually installed by the Helm chart. DATABASE_URL (or DATABASE_URL_FILE) leads to Postgres as the console's\n" +
			"role, and SOCIALOPS_INSTALL_ID_FILE names the file that holds the operator's id: both stand in the Secret that the operator makes.\n" +
			"Without that id, and outside of a cluster, channels can't be looked after, and all else works.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if cfg.Log, err = logger(c); err != nil {
				return err
			}
			controllers.SetGlobalLogger(cfg.Log)
			cfg.DatabaseURL = func() (string, error) { return databaseURL("DATABASE_URL") }
			if cfg.Bindings, err = clusterBindings(c.Context(), &cfg); err != nil {
				return err
			}
			cfg.Providers, cfg.Version = all.Providers(all.Options{}), version
			return runtime.ServeConsole(c.Context(), cfg)
		},
	}
	cfg.AddFlags(c.Flags())
	return c
}

// clusterBindings are those of the cluster that the console runs in, or stand in for
// them and say what is missing.
func clusterBindings(ctx context.Context, cfg *runtime.ConsoleConfig) (console.Bindings, error) {
	id, err := secretFile("SOCIALOPS_INSTALL_ID_FILE")
	if err != nil {
		return nil, err
	}
	if copy(cfg.Install[:], id) != len(id) || id != nil && len(id) != len(cfg.Install) {
		return nil, fmt.Errorf("the install's id has %d bytes, not %d: SOCIALOPS_INSTALL_ID_FILE is to be the path of the key install-id of the operator's Secret for the console", len(id), len(cfg.Install))
	}
	if id == nil {
		err = errors.New("SOCIALOPS_INSTALL_ID_FILE is not set, so it doesn't know which channels are which")
	} else {
		cluster, failed := ctrl.GetConfig()
		if failed == nil {
			return kube.New(cluster)
		}
		err = fmt.Errorf("it finds no Kubernetes API server: %w", failed)
	}
	cfg.Log.WarnContext(ctx, "channels can't be looked after", "error", err)
	return kube.Away(err), nil
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
		Long: "Runs the inbox, its console, the worker and a private Postgres in one process, with manifests read from a folder\n" +
			"instead of a cluster, where the console writes the channels that are bound in it. Each alias's API key is written to\n" +
			"DIR/keys/ALIAS; the console signs in whoever opens it at this machine. Ctrl-C leaves nothing running.",
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
	c.Flags().BoolVar(&cfg.Demo, "demo", false, "start the bundled Telegram simulator, take in sample events of each provider, deliver a reply, play a small support desk")
	c.Flags().DurationVar(&cfg.DemoFor, "demo-for", dev.DefaultDemoFor, "with --demo: how long the support desk goes on, an event each 5 to 15 s; 0: only what was")
	c.Flags().BoolVar(&cfg.Open, "open", false, "open the console in a browser once it is ready, if there is a display")
	return c
}
