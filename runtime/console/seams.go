package console

import (
	"context"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
)

// User is who signed in, as an access token says.
type User struct {
	Subject     string // "sub": whose instances are shown
	Name        string // as colleagues read it
	Permissions []string
	Expires     time.Time // of the token; streams end then
}

// Verifier tells whose access token it is. A token that is not good is an
// inbox.Error with CodeUnproven; an issuer that can't be asked one with CodeUnavailable.
type Verifier interface {
	Verify(ctx context.Context, token string) (User, error)
}

// Sessions signs people in without an issuer. Only the dev mode has it.
type Sessions interface {
	// Owners are the subjects that one may sign in as, the owner of the first alias first.
	Owners() []string
	Issue(subject string, permissions []string) (token string, user User, err error)
}

// Bindings keeps the ChannelBindings: in a cluster its API server, in the dev mode
// a folder. Failures are inbox.Errors: CodeInvalid with the CRD's own message,
// CodeNotFound, CodeConflict, CodeUnavailable.
type Bindings interface {
	// List lists the bindings of an instance, by the names of their manifests.
	List(ctx context.Context, namespace, instance string) ([]v1alpha1.ChannelBinding, error)
	// Create makes a binding, and fills in what its store added.
	Create(ctx context.Context, b *v1alpha1.ChannelBinding) error
	// Update changes a binding's spec; by is the subject of who does it. It reads anew
	// and calls change again when somebody else changed it meanwhile.
	Update(ctx context.Context, namespace, name string, change func(*v1alpha1.ChannelBindingSpec), by string) (*v1alpha1.ChannelBinding, error)
}
