package admin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/open4x/socialops/runtime/console/identity"
)

// token is a console's access token as it is shown.
type token struct {
	Token       string    `json:"token"`
	ExpiresAt   time.Time `json:"expires_at"`
	Subject     string    `json:"subject"`
	Permissions []string  `json:"permissions"`
}

func tokenCommand() *cobra.Command {
	var dataDir, subject string
	var permissions []string
	c := &cobra.Command{
		Use:   "token",
		Short: "Sign in to the dev mode's console: print an access token",
		Long: "Prints a token for `Authorization: Bearer`, valid for 12 hours, that the `socialops dev` of the data folder takes. It need not run.\n" +
			"In a cluster the identity provider gives tokens.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			show, err := answering(c)
			if err != nil {
				return err
			}
			answer, err := issue(dataDir, subject, permissions)
			if err != nil {
				return err
			}
			return show(answer)
		},
	}
	c.Flags().StringVar(&dataDir, "data-dir", ".socialops", "the data folder of socialops dev")
	c.Flags().StringVar(&subject, "subject", "", "who asks: the owner of instances, such as alice")
	c.Flags().StringSliceVar(&permissions, "permissions", []string{"service:read", "service:manage"}, "what they may do: service:read, service:manage, service:admin")
	c.Flags().StringP("output", "o", "text", "text or json")
	_ = c.MarkFlagRequired("subject")
	return c
}

// issue signs a token with the key that a data folder's dev mode made.
func issue(dataDir, subject string, permissions []string) (Answer, error) {
	key, err := os.ReadFile(filepath.Join(dataDir, "secrets", "console-key"))
	if errors.Is(err, os.ErrNotExist) {
		return Answer{}, fmt.Errorf("%s holds no key to sign with: start `socialops dev --data-dir %s` once, or name the --data-dir of one that ran", dataDir, dataDir)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("reading the console's key: %w", err)
	}
	local, err := identity.NewLocal(key, identity.LocalAudience)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what to do
	}
	text, user, err := local.Issue(subject, permissions)
	if err != nil {
		return Answer{}, err //nolint:wrapcheck // says what is wrong
	}
	return Answer{
		value: token{Token: text, ExpiresAt: user.Expires, Subject: user.Subject, Permissions: user.Permissions},
		text:  func(w io.Writer) { fmt.Fprintln(w, text) },
	}, nil
}
