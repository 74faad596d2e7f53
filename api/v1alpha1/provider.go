package v1alpha1

// Provider is a source of messages: generic-webhook (any JSON), telegram or github.
//
// +kubebuilder:validation:Enum=generic-webhook;telegram;github
type Provider string

// The known providers.
const (
	ProviderGenericWebhook Provider = "generic-webhook"
	ProviderTelegram       Provider = "telegram"
	ProviderGitHub         Provider = "github"
)
