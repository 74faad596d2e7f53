package controllers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/open4x/socialops/api/v1alpha1"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	secrets := schema.GroupResource{Resource: "secrets"}
	terminating := apierrors.NewForbidden(deployments, "support", errors.New("unable to create new content in namespace x because it is being terminated"))
	terminating.ErrStatus.Details.Causes = append(terminating.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause})
	for name, c := range map[string]struct {
		err       error
		reason    string // "": transient
		mentions  string
		transient bool
	}{
		"RBAC lacks a verb": {
			err:    apierrors.NewForbidden(deployments, "support", errors.New(`User "system:serviceaccount:a:b" cannot patch resource "deployments" in API group "apps" in the namespace "x"`)),
			reason: v1alpha1.ReasonForbidden, mentions: "may not patch deployments.apps:",
		},
		"RBAC lacks a verb of the core group": {
			err:    apierrors.NewForbidden(secrets, "support", errors.New(`User "u" cannot get resource "secrets" in API group "" in the namespace "x"`)),
			reason: v1alpha1.ReasonForbidden, mentions: "may not get secrets:",
		},
		"a quota": {
			err:    apierrors.NewForbidden(deployments, "support", errors.New("exceeded quota: few, requested: count/deployments.apps=1")),
			reason: v1alpha1.ReasonApplyFailed, mentions: "exceeded quota",
		},
		"the namespace is being deleted": {err: terminating, reason: v1alpha1.ReasonProgressing, mentions: "being deleted"},
		"the namespace is gone": {
			err:    apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "x"),
			reason: v1alpha1.ReasonProgressing, mentions: "gone",
		},
		"invalid": {
			err: apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "support",
				field.ErrorList{field.Invalid(field.NewPath("spec", "template"), "x", "no such class")}),
			reason: v1alpha1.ReasonApplyFailed, mentions: "no such class",
		},
		"no such kind, as the mapper says": {
			err:    &meta.NoKindMatchError{GroupKind: kindHTTPRoute.GroupKind()},
			reason: v1alpha1.ReasonGatewayAPIMissing, mentions: "install the Gateway API",
		},
		"no such kind, as the server says": {
			err: &apierrors.StatusError{ErrStatus: metav1.Status{
				Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: "the server could not find the requested resource",
			}},
			reason: v1alpha1.ReasonGatewayAPIMissing, mentions: "install the Gateway API",
		},
		"a conflict":         {err: apierrors.NewConflict(deployments, "support", errors.New("x")), transient: true},
		"made meanwhile":     {err: apierrors.NewAlreadyExists(deployments, "support"), transient: true},
		"too many requests":  {err: apierrors.NewTooManyRequests("x", 1), transient: true},
		"an internal error":  {err: apierrors.NewInternalError(errors.New("x")), transient: true},
		"a timeout":          {err: apierrors.NewTimeoutError("x", 1), transient: true},
		"the token is stale": {err: apierrors.NewUnauthorized("x"), transient: true},
		"no answer":          {err: errors.New("connection refused"), transient: true},
		"somebody else's":    {err: &foreignError{"Service", "support"}, reason: v1alpha1.ReasonForeignObject, mentions: `a Service "support" that is not this instance's`},
		"on its way out":     {err: &leavingError{"Service", "support"}, reason: v1alpha1.ReasonProgressing, mentions: `"support" is being deleted`},
	} {
		got := problemOf(fmt.Errorf("applying: %w", c.err), "Deployment support")
		if c.transient != (got.err != nil) || got.reason != c.reason || !strings.Contains(got.message, c.mentions) {
			t.Errorf("%s: %+v", name, got)
		}
		if !c.transient && got.retry == 0 {
			t.Errorf("%s heals by no event, and is never tried again", name)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	for tries := range 8 {
		got = append(got, backoff(tries, 30*time.Second)/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{1, 1, 2, 4, 8, 16, 30, 30}, got); diff != "" {
		t.Error(diff)
	}
	if backoff(1<<30, time.Minute) != time.Minute {
		t.Error("no limit after very many tries")
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	if got := oneLine(" a\n\tb \xff" + strings.Repeat("c", 5000)); len([]rune(got)) != messageLimit || !strings.HasPrefix(got, "a b c") {
		t.Errorf("%d characters: %.20s", len(got), got)
	}
}
