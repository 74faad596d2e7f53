// Package simulators holds the commands that stand in for others' services, in tests
// and demos.
package simulators

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// Commands are hidden, as nobody needs them who runs an inbox.
func Commands() []*cobra.Command { return []*cobra.Command{telegram(), issuer()} }

func telegram() *cobra.Command {
	var at listener
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
			return botapisim.Serve(c.Context(), l, o) //nolint:wrapcheck // says what it was doing
		},
	}
	at.addFlags(c, "127.0.0.1:8082")
	c.Flags().BoolVar(&limits, "limits", false, "enforce Telegram's rate limits")
	return c
}

func issuer() *cobra.Command {
	var at listener
	o := oidcsim.Options{Control: true}
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
			return oidcsim.Serve(c.Context(), l, oidcsim.New(o)) //nolint:wrapcheck // says what it was doing
		},
	}
	at.addFlags(c, "127.0.0.1:8083")
	c.Flags().StringVar(&o.URL, "url", "http://127.0.0.1:8083", "the issuer's name: where others find it")
	c.Flags().StringVar(&o.Audience, "audience", "socialops", "whom access tokens are for")
	return c
}

// listener is where a simulator listens, and with which certificate.
type listener struct{ address, cert, key string }

func (f *listener) addFlags(c *cobra.Command, address string) {
	c.Flags().StringVar(&f.address, "listen", address, "address to serve on")
	c.Flags().StringVar(&f.cert, "tls-cert", "", "certificate file; empty: plain HTTP")
	c.Flags().StringVar(&f.key, "tls-key", "", "the certificate's key file")
}

// open listens; the configuration is nil for plain HTTP.
func (f *listener) open(ctx context.Context) (net.Listener, *tls.Config, error) {
	var config *tls.Config
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the certificate: %w", err)
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.address)
	if err != nil {
		return nil, nil, fmt.Errorf("listening: %w", err)
	}
	return l, config, nil
}
