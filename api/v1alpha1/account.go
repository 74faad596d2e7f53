package v1alpha1

// A connected account is a Secret in the binding's namespace:
//
//	apiVersion: v1
//	kind: Secret
//	metadata:
//	  name: support-bot
//	  labels:
//	    socialops.dev/connected-account: telegram-bot
//	  annotations:
//	    socialops.dev/owner: alice
//	stringData:
//	  token: "123456:…"
//
// The label says what it holds and is what the operator selects Secrets by; the
// annotation says whose it is, and only instances of the same owner may use it.
const (
	// LabelConnectedAccount marks a Secret as a connected account; its value is the
	// [AccountKind].
	LabelConnectedAccount = "socialops.dev/connected-account"
	// AnnotationOwner names the account's owner: the subject ("sub") of a console
	// user, as in an instance's spec.owner.
	AnnotationOwner = "socialops.dev/owner"
)

// AccountKind is what a connected account's Secret holds.
type AccountKind string

// The kinds of connected accounts.
const (
	AccountTelegramBot   AccountKind = "telegram-bot"
	AccountGitHubWebhook AccountKind = "github-webhook"
)

// The keys of a connected account's Secret.
const (
	// KeyTelegramToken holds a Telegram bot's token, as BotFather gave it.
	KeyTelegramToken = "token"
	// KeyTelegramWebhookSecret optionally holds the secret token that Telegram's calls
	// are to carry: 1 to 256 of A-Z, a-z, 0-9, "_" and "-". Without it one is made up.
	KeyTelegramWebhookSecret = "webhook-secret"
	// KeyGitHubSecret holds the secret that was entered beside the webhook on GitHub.
	KeyGitHubSecret = "secret"
)

// AccountKindOf returns the kind of account that a provider's bindings need, and
// false for a provider that needs none.
func AccountKindOf(p Provider) (AccountKind, bool) {
	switch p {
	case ProviderTelegram:
		return AccountTelegramBot, true
	case ProviderGitHub:
		return AccountGitHubWebhook, true
	default:
		return "", false
	}
}
