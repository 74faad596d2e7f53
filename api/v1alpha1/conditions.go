package v1alpha1

// Conditions of both kinds, after kstatus: Ready is what to look at; Reconciling is
// True while work is under way and nobody needs to act; Stalled is True when somebody
// has to, and its message says what to do. Both are absent at rest.
const (
	ConditionReady       = "Ready"
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// What an instance's Ready rests on.
const (
	// ConditionAliasClaimed is True once the alias is this instance's, for good.
	ConditionAliasClaimed = "AliasClaimed"
	// ConditionDatabaseReady is True when the instance's row and role are in Postgres.
	ConditionDatabaseReady = "DatabaseReady"
	// ConditionKeysReady is True when every API key that the manifest names is valid.
	ConditionKeysReady = "KeysReady"
	// ConditionPodsReady is True when the instance's pods serve the desired version.
	ConditionPodsReady = "PodsReady"
	// ConditionExposed is True when the Ingress or HTTPRoute is in place.
	ConditionExposed = "Exposed"
)

// What a binding's Ready rests on.
const (
	// ConditionInstanceReady is True when the instance exists and allows the provider.
	ConditionInstanceReady = "InstanceReady"
	// ConditionAccountProven is True when the provider accepted the account's credential.
	ConditionAccountProven = "AccountProven"
	// ConditionChannelBound is True when the channel takes the events of its target.
	ConditionChannelBound = "ChannelBound"
	// ConditionWebhookRegistered is True when the provider sends its events here.
	ConditionWebhookRegistered = "WebhookRegistered"
)

// Reasons of both kinds.
const (
	ReasonReady               = "Ready"
	ReasonProgressing         = "Progressing"
	ReasonSuspended           = "Suspended"
	ReasonPaused              = "Paused" // by the annotation socialops.dev/paused
	ReasonDeleting            = "Deleting"
	ReasonDatabaseUnavailable = "DatabaseUnavailable" // heals by itself
	ReasonDatabasePrivileges  = "DatabasePrivileges"  // an admin has to grant something
	ReasonSchemaTooOld        = "SchemaTooOld"        // migrations have not run yet
	ReasonForbidden           = "Forbidden"           // RBAC lacks a verb
	ReasonSecretMissing       = "SecretMissing"
	ReasonInvalidSpec         = "InvalidSpec" // what only a look beyond the manifest could tell
)

// Reasons of an instance's conditions.
const (
	ReasonAliasClaimed      = "AliasClaimed"
	ReasonAliasTaken        = "AliasTaken"
	ReasonAliasRetained     = "AliasRetained" // its data waits for another instance or an admin's release
	ReasonDatabaseReady     = "DatabaseReady"
	ReasonKeysReady         = "KeysReady"
	ReasonKeyInvalid        = "KeyInvalid"
	ReasonKeyDuplicate      = "KeyDuplicate"
	ReasonPodsReady         = "PodsReady"
	ReasonPodsUnavailable   = "PodsUnavailable"
	ReasonRolloutQueued     = "RolloutQueued" // at most so many instances roll at a time
	ReasonImageNotAllowed   = "ImageNotAllowed"
	ReasonImageTooOld       = "ImageTooOld" // for the schema in Postgres
	ReasonExposed           = "Exposed"
	ReasonNotExposed        = "NotExposed"
	ReasonHostMissing       = "HostMissing"
	ReasonHostNotAllowed    = "HostNotAllowed"
	ReasonGatewayMissing    = "GatewayMissing" // neither the manifest nor the operator names one
	ReasonRouteNotAccepted  = "RouteNotAccepted"
	ReasonGatewayAPIMissing = "GatewayAPIMissing"
	ReasonForeignObject     = "ForeignObject" // an object of that name is not ours, so it is left alone
	ReasonApplyFailed       = "ApplyFailed"
)

// Reasons of a binding's conditions.
const (
	ReasonInstanceReady       = "InstanceReady"
	ReasonInstanceMissing     = "InstanceMissing"
	ReasonInstanceNotReady    = "InstanceNotReady"
	ReasonProviderNotAllowed  = "ProviderNotAllowed"
	ReasonAccountProven       = "AccountProven"
	ReasonAccountNotNeeded    = "AccountNotNeeded"
	ReasonAccountMissing      = "AccountMissing"
	ReasonAccountKind         = "AccountKind" // the Secret's label names another kind, or is missing
	ReasonAccountIncomplete   = "AccountIncomplete"
	ReasonAccountForeignOwner = "AccountForeignOwner"
	ReasonTokenRefused        = "TokenRefused"
	ReasonProviderUnavailable = "ProviderUnavailable" // heals by itself
	ReasonChannelBound        = "ChannelBound"
	ReasonInactive            = "Inactive"
	ReasonChatBoundTwice      = "ChatBoundTwice"
	ReasonBotTaken            = "BotTaken" // the bot serves another instance
	ReasonWebhookRegistered   = "WebhookRegistered"
	ReasonWebhookManual       = "WebhookManual"  // a person enters the URL at the provider
	ReasonWebhookTaken        = "WebhookTaken"   // it points elsewhere, and is not fought over
	ReasonWebhookRefused      = "WebhookRefused" // the provider takes no such address
	ReasonNoPublicURL         = "NoPublicURL"
)
