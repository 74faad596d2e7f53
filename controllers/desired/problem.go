package desired

import "fmt"

// Problem is what keeps an instance from having what its manifest asks for, in the
// words of a condition: a reason of api/v1alpha1, and a message that says what to do.
type Problem struct{ Reason, Message string }

func problem(reason, format string, args ...any) *Problem {
	return &Problem{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
