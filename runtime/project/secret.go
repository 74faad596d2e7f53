package project

import (
	"bytes"
	"strings"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// IsAccount tells whether a Secret holds a connected account.
func IsAccount(s *Secret) bool { return s.Labels[v1alpha1.LabelConnectedAccount] != "" }

// accountKinds says what each kind of account holds, and of which provider it is.
var accountKinds = map[v1alpha1.AccountKind]struct {
	provider v1alpha1.Provider
	key      string
}{
	v1alpha1.AccountTelegramBot:   {v1alpha1.ProviderTelegram, v1alpha1.KeyTelegramToken},
	v1alpha1.AccountGitHubWebhook: {v1alpha1.ProviderGitHub, v1alpha1.KeyGitHubSecret},
}

const knownKinds = "telegram-bot or github-webhook"

// credential is what a Secret says of its account.
type credential struct {
	kind          string
	provider      string
	owner         string
	secret        []byte
	webhookSecret []byte   // nil: one is to be made up
	problem       *verdict // why it can't be used
}

// readCredential reads an account's Secret. Blanks around a value are not meant:
// files that Secrets are made of end with a newline.
func readCredential(s *Secret) credential {
	c := credential{kind: s.Labels[v1alpha1.LabelConnectedAccount], owner: strings.TrimSpace(s.Annotations[v1alpha1.AnnotationOwner])}
	refuse := func(reason, format string, args ...any) credential {
		v := no(v1alpha1.ConditionAccountProven, reason, format, args...)
		c.problem = &v
		return c
	}
	kind, known := accountKinds[v1alpha1.AccountKind(c.kind)]
	if !known {
		return refuse(v1alpha1.ReasonAccountKind, "the Secret %q is labelled %s=%s, which is no known kind: use %s", s.Name, v1alpha1.LabelConnectedAccount, c.kind, knownKinds)
	}
	c.provider = string(kind.provider)
	if c.secret = bytes.TrimSpace(s.Data[kind.key]); len(c.secret) == 0 {
		return refuse(v1alpha1.ReasonAccountIncomplete, "the Secret %q has nothing under %q: put the account's credential there", s.Name, kind.key)
	}
	if c.owner == "" {
		return refuse(v1alpha1.ReasonAccountIncomplete, "the Secret %q has no annotation %s: set it to the owner of the instances that may use it", s.Name, v1alpha1.AnnotationOwner)
	}
	if given, ok := s.Data[v1alpha1.KeyTelegramWebhookSecret]; ok && kind.provider == v1alpha1.ProviderTelegram {
		c.webhookSecret = bytes.TrimSpace(given)
		if n := len(c.webhookSecret); n == 0 || n > 256 || strings.Trim(string(c.webhookSecret), keyAlphabet+"_-") != "" {
			return refuse(v1alpha1.ReasonAccountIncomplete, "the Secret %q holds no valid secret token under %q: want 1 to 256 of A-Z, a-z, 0-9, \"_\" and \"-\", or leave it out", s.Name, v1alpha1.KeyTelegramWebhookSecret)
		}
	}
	return c
}

// content is what a change of the credential is told by.
func (c *credential) content() []byte {
	return bytes.Join([][]byte{[]byte(c.kind), c.secret, c.webhookSecret}, []byte{0})
}

// identified is the verdict on what the provider said of a credential.
func identified(err error, name string) verdict {
	switch code := inbox.CodeOf(err); {
	case err == nil && name == "":
		return yes(v1alpha1.ConditionAccountProven, v1alpha1.ReasonAccountProven, "the credential is in use")
	case err == nil:
		return yes(v1alpha1.ConditionAccountProven, v1alpha1.ReasonAccountProven, "the credential is %s's", name)
	case code == inbox.CodeUnproven:
		return no(v1alpha1.ConditionAccountProven, v1alpha1.ReasonTokenRefused, "%s", messageOf(err))
	default:
		return no(v1alpha1.ConditionAccountProven, v1alpha1.ReasonProviderUnavailable, "%s", providerMessage(err))
	}
}

func providerMessage(err error) string {
	if inbox.CodeOf(err) == "" {
		return "the provider could not be asked; this is tried again"
	}
	return messageOf(err)
}
