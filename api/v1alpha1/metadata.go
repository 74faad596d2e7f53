package v1alpha1

// Annotations that an admin sets on an instance.
const (
	// AnnotationRotateKeys, set to a value that it had not before, has a new API key
	// generated; the one before it stays valid for 24 hours, or until the next rotation.
	AnnotationRotateKeys = "socialops.dev/rotate-keys"
	// AnnotationPaused, set to "true", has the operator leave the instance's objects and
	// rows as they are.
	AnnotationPaused = "socialops.dev/paused"
)

// AnnotationChangedBy is, on a ChannelBinding, the subject of the console's user who
// wrote it last.
const AnnotationChangedBy = "socialops.dev/changed-by"

// What the operator writes on the objects that it makes for an instance.
const (
	// LabelInstance names the instance that an object belongs to.
	LabelInstance = "socialops.dev/instance"
	// AnnotationConfigHash, on pods, changes with the settings and Secrets that a pod
	// reads when it starts, so that these roll it.
	AnnotationConfigHash = "socialops.dev/config-hash"
	// AnnotationRotatedFor, on the Secret with the generated API key, is the value of
	// [AnnotationRotateKeys] that its key was made for.
	AnnotationRotatedFor = "socialops.dev/rotated-for"
	// AnnotationPreviousExpires, on the same Secret, is until when the previous key is
	// valid, as of RFC 3339.
	AnnotationPreviousExpires = "socialops.dev/previous-expires"
)

// LabelAPIKey marks, with any value, a Secret that an instance's spec.apiKeys names, so
// that the operator notices at once when it changes. It selects Secrets by label and
// reads others anew every 10 minutes.
const LabelAPIKey = "socialops.dev/api-key"

// Finalizers, each with what is done before an object may go.
const (
	// FinalizerData, on an instance with deletionPolicy Delete, has its data marked for
	// removal.
	FinalizerData = "socialops.dev/data"
	// FinalizerWebhook, on a ChannelBinding, has the account's webhook removed when it
	// was the last to use it.
	FinalizerWebhook = "socialops.dev/webhook"
)
