package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/open4x/socialops/runtime/inbox"
)

// commands ask the database that url leads to: that of a data folder's running
// `socialops dev`, or, for "", another.
type commands struct {
	url func(dataDir string) (string, error)
}

// Commands are the admin's: each opens the database as its owner, asks, and prints the answer.
func Commands(url func(dataDir string) (string, error)) []*cobra.Command {
	c := commands{url}
	return []*cobra.Command{c.key(), c.action(), c.credit(), c.ledger(), c.forget(), c.instance(), tokenCommand()}
}

// flags adds what a command that asks a database is told.
func flags(c *cobra.Command) *cobra.Command {
	c.Flags().String("data-dir", "", "the data folder of a running socialops dev; without it DATABASE_URL leads to the database as its owner")
	c.Flags().StringP("output", "o", "text", "text or json")
	return c
}

// ask opens the database as its owner, asks, and prints the answer.
func (on commands) ask(c *cobra.Command, ask func(context.Context, *Admin) (Answer, error)) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	return on.askLong(ctx, c, ask)
}

// askLong is ask for what may take long.
func (on commands) askLong(ctx context.Context, c *cobra.Command, ask func(context.Context, *Admin) (Answer, error)) error {
	show, err := answering(c)
	if err != nil {
		return err
	}
	dataDir, _ := c.Flags().GetString("data-dir")
	url, err := on.url(dataDir)
	if err != nil {
		return err
	}
	a, err := Open(ctx, url)
	if err != nil {
		return err
	}
	defer a.Close()
	answer, err := ask(ctx, a)
	if err != nil {
		return err
	}
	return show(answer)
}

// answering is how the command is to print.
func answering(c *cobra.Command) (func(Answer) error, error) {
	switch format, _ := c.Flags().GetString("output"); format {
	case "text":
		return func(a Answer) error { return a.WriteText(c.OutOrStdout()) }, nil
	case "json":
		return func(a Answer) error { return a.WriteJSON(c.OutOrStdout()) }, nil
	default:
		return nil, fmt.Errorf("--output %q: want text or json", format)
	}
}

func (on commands) key() *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "Create, list and revoke API keys"}
	var name string
	var scopes []string
	var expires time.Duration
	create := &cobra.Command{
		Use:   "create ALIAS",
		Short: "Create an API key and print it, once",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) {
				return db.CreateKey(ctx, args[0], name, scopes, expires)
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
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) { return db.ListKeys(ctx, args[0]) })
		},
	}
	revoke := &cobra.Command{
		Use:   "revoke ALIAS KEY_ID",
		Short: "Revoke an API key; runtimes refuse it within 5 seconds",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) {
				return db.RevokeKey(ctx, args[0], args[1])
			})
		},
	}
	c.AddCommand(flags(create), flags(list), flags(revoke))
	return c
}

func (on commands) action() *cobra.Command {
	c := &cobra.Command{Use: "action", Short: "Look after the worker's actions"}
	c.AddCommand(flags(&cobra.Command{
		Use:   "requeue ID",
		Short: "Have a failed reply sent again, from its first part that was not delivered",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) { return db.RequeueAction(ctx, args[0]) })
		},
	}))
	return c
}

func (on commands) credit() *cobra.Command {
	var reference string
	c := &cobra.Command{
		Use:   "credit ALIAS USD",
		Short: "Add to an alias's balance",
		Long:  "Adds an amount such as 25 or 0.0002 to the balance. The same reference is credited once, however often the command runs.",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) {
				return db.Credit(ctx, args[0], args[1], reference)
			})
		},
	}
	c.Flags().StringVar(&reference, "reference", "", "what makes this credit the only one of its kind, such as an invoice number")
	_ = c.MarkFlagRequired("reference")
	return flags(c)
}

func (on commands) ledger() *cobra.Command {
	c := &cobra.Command{Use: "ledger", Short: "Look after the money"}
	c.AddCommand(flags(&cobra.Command{
		Use:   "check",
		Short: "Check that every balance is the sum of its entries",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) { return db.CheckLedger(ctx) })
		},
	}))
	return c
}

func (on commands) forget() *cobra.Command {
	c := &cobra.Command{
		Use:   "forget",
		Short: "Remove a person or a conversation for good",
		Long: "Removes messages with their payloads and attachments, in batches; broken off, it goes on when it is run again. Ledger\n" +
			"entries stay, and hashes by which repeats of the removed events are known.",
	}
	for _, what := range []struct {
		use, short string
		forget     func(*Admin, context.Context, string, string) (Answer, error)
	}{
		{"contact ALIAS ID", "Remove a person: their conversations, and what they wrote in others'", (*Admin).ForgetContact},
		{"thread ALIAS ID", "Remove a conversation, and whoever wrote in no other", (*Admin).ForgetThread},
	} {
		c.AddCommand(flags(&cobra.Command{
			Use:   what.use,
			Short: what.short,
			Args:  cobra.ExactArgs(2),
			RunE: func(c *cobra.Command, args []string) error {
				return on.askLong(c.Context(), c, func(ctx context.Context, db *Admin) (Answer, error) {
					return what.forget(db, ctx, args[0], args[1])
				})
			},
		}))
	}
	return c
}

func (on commands) instance() *cobra.Command {
	c := &cobra.Command{Use: "instance", Short: "Look after instances' data"}
	c.AddCommand(flags(&cobra.Command{
		Use:   "release ALIAS",
		Short: "Let whoever claims a deleted instance's alias next have it, with the data that was kept",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.ask(c, func(ctx context.Context, db *Admin) (Answer, error) {
				return db.ReleaseInstance(ctx, args[0])
			})
		},
	}))
	return c
}
