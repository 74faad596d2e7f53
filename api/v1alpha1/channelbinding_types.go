package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ParseMode is the markup of the replies on a Telegram channel: HTML, Markdown,
// MarkdownV2, or "" for plain text.
//
// +kubebuilder:validation:Enum="";HTML;Markdown;MarkdownV2
type ParseMode string

// The parse modes of Telegram.
const (
	ParseModePlain      ParseMode = ""
	ParseModeHTML       ParseMode = "HTML"
	ParseModeMarkdown   ParseMode = "Markdown"
	ParseModeMarkdownV2 ParseMode = "MarkdownV2"
)

// InstanceReference names a SocialOpsInstance in the same namespace.
type InstanceReference struct {
	// name is the SocialOpsInstance's metadata.name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="must be the name of a SocialOpsInstance: lower-case letters, digits and '-', beginning with a letter"
	Name string `json:"name,omitempty"`
}

// ChannelBindingSpec says which conversations go to which inbox.
//
// +kubebuilder:validation:XValidation:rule="self.provider == 'generic-webhook' || has(self.connectedAccountRef)",fieldPath=".connectedAccountRef",reason=FieldValueRequired,message="telegram and github need a connected account: name a Secret labelled socialops.dev/connected-account"
// +kubebuilder:validation:XValidation:rule="self.provider != 'generic-webhook' || !has(self.connectedAccountRef)",fieldPath=".connectedAccountRef",reason=FieldValueForbidden,message="generic-webhook takes no connected account: its callers use an API key with the scope socialops:write"
// +kubebuilder:validation:XValidation:rule="self.provider == 'telegram' || !has(self.parseMode) || size(self.parseMode) == 0",fieldPath=".parseMode",reason=FieldValueForbidden,message="only telegram has parse modes"
// +kubebuilder:validation:XValidation:rule="self.provider != 'telegram' || !has(self.externalChannelID) || self.externalChannelID.matches('^-?[1-9][0-9]{0,15}$')",fieldPath=".externalChannelID",message="for telegram this is a numeric chat id in quotes, such as \"-1001234567890\"; leave it out to take every chat of the bot"
// +kubebuilder:validation:XValidation:rule="self.provider != 'github' || !has(self.externalChannelID) || self.externalChannelID.matches('^[A-Za-z0-9][A-Za-z0-9_-]{0,63}/[A-Za-z0-9._-]{1,100}$')",fieldPath=".externalChannelID",message="for github this is a repository as owner/name; leave it out to take every repository that uses the account's secret"
type ChannelBindingSpec struct {
	// instanceRef names the SocialOpsInstance, in the same namespace, that takes the
	// channel's conversations. It can't be changed: they belong to that inbox.
	//
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="can't be changed: conversations stay in their inbox; make a new ChannelBinding for the other instance"
	InstanceRef InstanceReference `json:"instanceRef,omitzero"`

	// provider is where the conversations come from: generic-webhook, telegram or
	// github. It can't be changed.
	//
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="can't be changed: make a new ChannelBinding for the other provider"
	Provider Provider `json:"provider,omitempty"`

	// connectedAccountRef names the Secret, in the same namespace, that holds the
	// account: labelled socialops.dev/connected-account=telegram-bot with the key
	// "token" for telegram, or =github-webhook with the key "secret" for github, and
	// annotated socialops.dev/owner with the instance's owner. Required for telegram
	// and github; generic-webhook takes none. Several bindings may share an account.
	//
	// +optional
	ConnectedAccountRef SecretReference `json:"connectedAccountRef,omitzero"`

	// channelName is what people see, such as "Support Telegram": 1 to 128 characters.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:]]*$') && self.trim() != ''",message="must be a name on one line"
	ChannelName string `json:"channelName,omitempty"`

	// externalChannelID binds one target only: a chat id for telegram (in quotes, such
	// as "-1001234567890"), owner/name of a repository for github, the "source" of the
	// events for generic-webhook. Left out, the channel takes everything of its account
	// that no other channel binds, as a support bot does. At most 200 characters.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:cntrl:][:space:]]*$')",message="must not contain blanks or control characters"
	ExternalChannelID string `json:"externalChannelID,omitempty"`

	// parseMode is the markup that replies are written in, for telegram only: HTML,
	// Markdown or MarkdownV2. Default: plain text. A reply that Telegram can't parse is
	// sent as plain text.
	//
	// +optional
	ParseMode *ParseMode `json:"parseMode,omitempty"`

	// active is whether the channel takes events and delivers replies. An account's
	// webhook is removed with its last active channel. Default true.
	//
	// +optional
	// +default=true
	Active *bool `json:"active,omitempty"`
}

// IsActive tells whether the channel is in use, which it is unless told otherwise.
func (s *ChannelBindingSpec) IsActive() bool { return s.Active == nil || *s.Active }

// Markup is the parse mode, plain text when none is set.
func (s *ChannelBindingSpec) Markup() ParseMode {
	if s.ParseMode == nil {
		return ParseModePlain
	}
	return *s.ParseMode
}

// ChannelBindingStatus is what became of the binding.
//
// +kubebuilder:validation:MinProperties=1
type ChannelBindingStatus struct {
	// conditions say what holds: Ready, and what it rests on (InstanceReady,
	// AccountProven, ChannelBound, WebhookRegistered); Reconciling while work is under
	// way; Stalled when somebody has to act, with a message that says how.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the metadata.generation that the status speaks of.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// channelID is the channel's id in the API, such as soch_….
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ChannelID string `json:"channelID,omitempty"`

	// account is the name that the provider gives the account, such as @support_bot.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Account string `json:"account,omitempty"`

	// webhookURL is where the provider sends events. For telegram it is registered by
	// the operator; for github, enter it with the secret in the repository's settings.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	WebhookURL string `json:"webhookURL,omitempty"`
}

// ChannelBinding ties a Telegram bot, a GitHub webhook or any JSON source to a
// SocialOpsInstance of the same namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=chb,categories=socialops
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the channel takes events and delivers replies"
// +kubebuilder:printcolumn:name="Instance",type=string,JSONPath=`.spec.instanceRef.name`,description="The inbox that takes the conversations"
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.provider`,description="Where the conversations come from"
// +kubebuilder:printcolumn:name="Channel",type=string,JSONPath=`.spec.channelName`,description="The name that people see"
// +kubebuilder:printcolumn:name="Account",type=string,JSONPath=`.status.account`,description="The account's name at the provider"
// +kubebuilder:printcolumn:name="Active",type=boolean,JSONPath=`.spec.active`,description="Whether the channel is in use"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is ready or not, in a word"
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.externalChannelID`,priority=1,description="The one chat or repository it binds; empty: all of the account"
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1,description="Why it is ready or not, and what to do"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ChannelBinding struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says which conversations go to which inbox.
	//
	// +required
	Spec ChannelBindingSpec `json:"spec,omitzero"`

	// status is what became of it; written by the operator.
	//
	// +optional
	Status ChannelBindingStatus `json:"status,omitzero"`
}

// ChannelBindingList is a list of ChannelBindings.
//
// +kubebuilder:object:root=true
type ChannelBindingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`

	Items []ChannelBinding `json:"items"`
}
