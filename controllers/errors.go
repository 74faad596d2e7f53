package controllers

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
)

// problem is why something is not as it should be, in the words of a condition. It is
// one of three kinds: with an err it is transient, and tried again soon by the queue's
// own backoff; with retry it waits for something that no event tells of, or that may
// have been mended meanwhile; with neither, somebody has to act, or an event will come.
type problem struct {
	reason, message string
	retry           time.Duration // the longest time until the next try; 0: none
	err             error
	terminating     bool // the namespace is being deleted, for good
}

// How long at most until the next try of what may have been mended meanwhile.
const (
	retryForbidden = 30 * time.Second // an admin adds a rule and looks
	retryRefused   = 5 * time.Minute  // a quota is raised, an admission policy changed
	retryMissing   = 30 * time.Second // an API is installed
	retryWaiting   = 10 * time.Second
)

// explain words what an API server answered to a call about an object; what is such as
// `the Deployment "support"`.
func explain(err error, what string) problem {
	status, answered := errors.AsType[*apierrors.StatusError](err)
	switch {
	case meta.IsNoMatchError(err), answered && isUnknownKind(status):
		return problem{
			reason: v1alpha1.ReasonGatewayAPIMissing, retry: retryMissing,
			message: "the cluster has no such kind: install the Gateway API (gateway.networking.k8s.io/v1), or choose another spec.exposure.type",
		}
	case !answered:
		return problem{err: err}
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return problem{reason: v1alpha1.ReasonProgressing, message: "the namespace is being deleted", terminating: true, retry: retryWaiting}
	case apierrors.IsNotFound(err): // of the namespace, as an apply makes what is missing
		return problem{reason: v1alpha1.ReasonProgressing, message: "the namespace is gone", retry: retryWaiting}
	case apierrors.IsForbidden(err):
		if verb, resource := forbidden(err); verb != "" {
			return problem{
				reason: v1alpha1.ReasonForbidden, retry: retryForbidden,
				message: fmt.Sprintf("the operator may not %s %s: add the verb to its Role (a newer chart has it)", verb, resource),
			}
		}
		return refused(status, what)
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return problem{err: err}
	case apierrors.IsTooManyRequests(err), apierrors.IsTimeout(err), apierrors.IsUnauthorized(err), status.ErrStatus.Code >= http.StatusInternalServerError:
		return problem{err: err}
	default:
		return refused(status, what)
	}
}

func refused(status *apierrors.StatusError, what string) problem {
	return problem{
		reason: v1alpha1.ReasonApplyFailed, retry: retryRefused,
		message: fmt.Sprintf("the API server refuses %s: %s", what, oneLine(status.ErrStatus.Message)),
	}
}

// isUnknownKind tells "no such resource" from "no such object".
func isUnknownKind(status *apierrors.StatusError) bool {
	s := status.ErrStatus
	return s.Code == http.StatusNotFound && (s.Details == nil || s.Details.Name == "") && strings.Contains(s.Message, "could not find the requested resource")
}

// rbac is how the API server's authorizer words a refusal; admission and quotas,
// which are as forbidden, have other words.
var rbac = regexp.MustCompile(`cannot ([a-z]+) resource "([^"]+)" in API group "([^"]*)"`)

// forbidden names the verb and the resource that RBAC lacks, "" where it isn't RBAC.
func forbidden(err error) (verb, resource string) {
	m := rbac.FindStringSubmatch(err.Error())
	if m == nil {
		return "", ""
	}
	if m[3] == "" {
		return m[1], m[2]
	}
	return m[1], m[2] + "." + m[3]
}

// messageLimit keeps a condition readable; the API server would take 32 KB.
const messageLimit = 1024

// oneLine makes a condition's message of somebody else's text.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > messageLimit {
		text = string(runes[:messageLimit-1]) + "…"
	}
	return text
}

// foreignError is an object that has the name of one of an instance's, and is not its.
type foreignError struct{ kind, name string }

func (e *foreignError) Error() string {
	return fmt.Sprintf("there is a %s %q that is not this instance's, so it is left alone: delete or rename it, or give the instance another name", e.kind, e.name)
}

// leavingError is an object that is being deleted, and made anew when it is gone.
type leavingError struct{ kind, name string }

func (e *leavingError) Error() string {
	return fmt.Sprintf("the %s %q is being deleted, and is made anew when it is gone", e.kind, e.name)
}

// problemOf words whatever kept an object from being applied.
func problemOf(err error, what string) problem {
	if foreign, ok := errors.AsType[*foreignError](err); ok {
		return problem{reason: v1alpha1.ReasonForeignObject, message: foreign.Error(), retry: retryForbidden}
	}
	if leaving, ok := errors.AsType[*leavingError](err); ok {
		return problem{reason: v1alpha1.ReasonProgressing, message: leaving.Error(), retry: retryWaiting}
	}
	return explain(err, what)
}

// backoff is when to try again what was tried so many times: a second after the first
// time, then ever later, at most limit.
func backoff(tries int, limit time.Duration) time.Duration {
	return min(time.Second<<min(max(tries-1, 0), 16), limit)
}

// messageOf is the part of Postgres's refusal that is for a person: its detail may hold
// what is not.
func messageOf(err error) string {
	if e, ok := errors.AsType[*inbox.Error](err); ok {
		return e.Message
	}
	return "an unexpected failure; see the operator's log"
}
