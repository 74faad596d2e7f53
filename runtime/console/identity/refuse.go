package identity

import (
	"fmt"

	"github.com/open4x/socialops/runtime/inbox"
)

// refusef is the answer to a bad token. err keeps what is not for whoever sent it.
func refusef(err error, format string, args ...any) error {
	e := inbox.Errorf(inbox.CodeUnproven, "the token is refused: %s; sign in again", fmt.Sprintf(format, args...))
	e.Err = err
	return e
}

// away is the answer while the issuer can't be asked.
func away(err error) error {
	return &inbox.Error{
		Code: inbox.CodeUnavailable, Message: "the identity provider can't be reached, so that nobody's token can be checked; try again soon", Err: err,
	}
}
