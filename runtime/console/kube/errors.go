package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/runtime/inbox"
)

// rbac is how the API server's authorizer words a refusal; admission and quotas,
// which are as forbidden, have other words.
var rbac = regexp.MustCompile(`cannot [a-z]+ resource`)

// explain words what an API server answered for the person who clicked.
func explain(err error, verb, namespace, name string) error {
	status, answered := errors.AsType[*apierrors.StatusError](err)
	if !answered {
		return failure(inbox.CodeUnavailable, err, "the Kubernetes API server can't be reached; try again soon")
	}
	s := status.ErrStatus
	switch {
	case apierrors.IsInvalid(err):
		return failure(inbox.CodeInvalid, err, "%s", strings.Join(causes(&s), "; "))
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return failure(inbox.CodeConflict, err, "the namespace %q is being deleted", namespace)
	case apierrors.IsAlreadyExists(err):
		return failure(inbox.CodeConflict, err, "there is a ChannelBinding %q in the namespace %q already: choose another name", name, namespace)
	case apierrors.IsConflict(err):
		return failure(inbox.CodeConflict, err, "somebody else keeps changing the ChannelBinding %q; look at it again, and try again", name)
	case apierrors.IsNotFound(err) && isUnknownKind(&s):
		return failure(inbox.CodeUnavailable, err, "the cluster knows no ChannelBindings: an admin has to install SocialOps's CustomResourceDefinitions")
	case apierrors.IsNotFound(err) && verb != "create":
		return failure(inbox.CodeNotFound, err, "there is no ChannelBinding %q any more", name)
	case apierrors.IsNotFound(err):
		return failure(inbox.CodeConflict, err, "the namespace %q is gone", namespace)
	case apierrors.IsForbidden(err) && rbac.MatchString(s.Message):
		return failure(inbox.CodeUnavailable, err, "the console's ServiceAccount may not %s channelbindings.socialops.dev in the namespace %q: an admin has to add the verb to its Role there (the chart's console.* values and watchNamespaces make it)", verb, namespace)
	case apierrors.IsTooManyRequests(err), apierrors.IsTimeout(err), apierrors.IsUnauthorized(err), s.Code >= http.StatusInternalServerError:
		return failure(inbox.CodeUnavailable, err, "the Kubernetes API server does not answer as it should; try again soon")
	default: // an admission policy or a quota, in the admin's own words
		return failure(inbox.CodeUnprocessed, err, "the cluster refuses the change: %s", oneLine(s.Message))
	}
}

func failure(code inbox.Code, err error, format string, args ...any) error {
	e := inbox.Errorf(code, format, args...)
	e.Err = err
	return e
}

// isUnknownKind tells "no such resource" from "no such object".
func isUnknownKind(s *metav1.Status) bool {
	return (s.Details == nil || s.Details.Name == "") && strings.Contains(s.Message, "could not find the requested resource")
}

// causes are what the CustomResourceDefinition says of each field, without the value
// that was refused: who sent it has it.
func causes(s *metav1.Status) []string {
	if s.Details == nil || len(s.Details.Causes) == 0 {
		return []string{oneLine(s.Message)}
	}
	var texts []string
	for _, c := range s.Details.Causes {
		text := withoutValue(c.Message)
		if c.Field != "" && c.Field != "<nil>" {
			text = c.Field + ": " + text
		}
		texts = append(texts, oneLine(text))
	}
	return texts
}

// withoutValue takes `Invalid value: "x": ` from the front of a field's error.
func withoutValue(text string) string {
	kind, rest, ok := strings.Cut(text, ": ")
	if !ok || kind != "Invalid value" && kind != "Required value" && kind != "Forbidden" && kind != "Unsupported value" && kind != "Too long" && kind != "Duplicate value" {
		return text
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		if after, ok := strings.CutPrefix(rest[len(quoted):], ": "); ok {
			return after
		}
		return text
	}
	decoder := json.NewDecoder(strings.NewReader(rest))
	var value any
	if decoder.Decode(&value) == nil {
		if after, ok := strings.CutPrefix(rest[decoder.InputOffset():], ": "); ok {
			return after
		}
	}
	return rest
}

const messageLimit = 500

func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > messageLimit {
		text = fmt.Sprintf("%s…", string(runes[:messageLimit-1]))
	}
	return text
}
