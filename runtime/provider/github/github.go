// Package github takes webhook calls of GitHub: the provider "github". Issues,
// pull requests, discussions and what is said in them become conversations; so
// do workflow runs, pushes, releases and security alerts.
//
// A call proves itself by X-Hub-Signature-256 over its raw body, or comes with an
// API key. X-GitHub-Delivery identifies the event: a redelivery has the same one.
//
// # Conversations
//
// External ids hold the repository's id, not its name, so that a rename changes
// no conversation.
//
//	issue, pull request  repo:<id>#<number>, comments and reviews included
//	discussion           repo:<id>/discussion/<number>
//	commit               repo:<id>/commit/<sha>
//	push                 repo:<id>/push/<ref>, one of a branch or tag
//	workflow run         repo:<id>/run/<run id>, its further attempts included
//	check suite and run  repo:<id>/checks/<branch>; without a branch repo:<id>/check-suite/<id>
//	release              repo:<id>/release/<release id>
//	alert                repo:<id>/dependabot/<number>, …/code-scanning/…, …/secret-scanning/…
//
// # Messages
//
// What GitHub keeps as an object of its own, such as a comment, has the object's
// id as its message's external id; an edit then changes that message, and the
// deletion of a comment replaces its text. What merely happened, such as a label
// that was added, is a message without one. An action that stands in no line
// makes no message.
//
//	event                        actions                                                     message type
//	issues                       opened; edited                                              issue
//	                             closed reopened assigned unassigned labeled unlabeled       issue_<action>
//	                             transferred deleted
//	pull_request                 opened; edited                                              pull_request
//	                             closed                                                      pull_request_merged, _closed
//	                             reopened assigned unassigned labeled unlabeled synchronize  pull_request_<action>
//	                             review_requested review_request_removed
//	                             ready_for_review converted_to_draft
//	discussion                   created; edited                                             discussion
//	                             closed reopened labeled unlabeled answered unanswered       discussion_<action>
//	                             transferred deleted
//	issue_comment                created; edited, deleted                                    issue_comment
//	discussion_comment           created; edited, deleted                                    discussion_comment
//	commit_comment               created                                                     commit_comment
//	pull_request_review          submitted; edited. Not the empty one around mere comments   pull_request_review
//	                             dismissed                                                   pull_request_review_dismissed
//	pull_request_review_comment  created; edited, deleted                                    pull_request_review_comment
//	pull_request_review_thread   resolved unresolved                                         pull_request_review_thread_<action>
//	workflow_run                 completed, unless it was skipped                            workflow_run
//	check_suite                  completed, unless it was skipped                            check_suite
//	check_run                    completed, unless it went well or was skipped               check_run
//	push                         (it has none)                                               push
//	release                      published; edited. Not drafts                               release
//	                             unpublished deleted                                         release_<action>
//	dependabot_alert             created                                                     dependabot_alert
//	                             fixed dismissed auto_dismissed reopened auto_reopened       dependabot_alert_<action>
//	                             reintroduced
//	code_scanning_alert          created                                                     code_scanning_alert
//	                             fixed closed_by_user reopened reopened_by_user              code_scanning_alert_<action>
//	                             appeared_in_branch
//	secret_scanning_alert        created                                                     secret_scanning_alert
//	                             resolved revoked reopened publicly_leaked validated         secret_scanning_alert_<action>
//
// # Priority and labels
//
// An alert that is open is urgent when critical and high when high. So is a secret
// that leaked: high, and urgent when it is known to work or to be public. A failed
// workflow run or check of the default branch is high. Nothing else has a priority.
//
// A thread gets the labels of its issue, pull request or discussion when that is
// opened, and each that is added later. One that is removed at GitHub stays, as
// the thread's labels are ours.
package github

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// Name is the provider's name, and the source of its events' identities: GitHub's
// ids are unique over all repositories.
const Name = "github"

// maxID bounds the names that become part of an identity, in bytes.
const maxID = 512

// Provider is GitHub. It has no state.
type Provider struct{}

// New makes the provider.
func New() Provider { return Provider{} }

// Name is "github".
func (Provider) Name() string { return Name }

// handlers turn the payload of an event into the inbound event, of which what all
// have in common is filled in.
var handlers = map[string]func(p *payload, in *inbox.Inbound) error{
	"issues":                      issues,
	"pull_request":                pullRequest,
	"discussion":                  discussions,
	"issue_comment":               issueComment,
	"discussion_comment":          discussionComment,
	"commit_comment":              commitComment,
	"pull_request_review":         reviews,
	"pull_request_review_comment": reviewComment,
	"pull_request_review_thread":  reviewThread,
	"workflow_run":                workflowRun,
	"check_suite":                 checkSuites,
	"check_run":                   checkRuns,
	"push":                        push,
	"release":                     releases,
	"dependabot_alert":            dependabotAlert,
	"code_scanning_alert":         codeScanningAlert,
	"secret_scanning_alert":       secretScanningAlert,
}

// Normalize reads an event.
func (Provider) Normalize(r *provider.Request, _ provider.Proof) (inbox.Inbound, error) {
	event, delivery := r.Header.Get("X-GitHub-Event"), r.Header.Get("X-GitHub-Delivery")
	switch {
	case event == "":
		return inbox.Inbound{}, invalid("header X-GitHub-Event: missing: only GitHub's own webhook calls are understood here")
	case delivery == "":
		return inbox.Inbound{}, invalid("header X-GitHub-Delivery: missing: want the delivery's GUID, which tells a repeat from a new event")
	case len(delivery) > maxID:
		return inbox.Inbound{}, invalid("header X-GitHub-Delivery: longer than %d bytes: want the delivery's GUID", maxID)
	case event == "ping":
		return inbox.Inbound{}, provider.Ignored{Reason: "ping"}
	}
	handle, known := handlers[event]
	if !known {
		return inbox.Inbound{}, provider.Ignored{Reason: "unsupported event: " + word(event)}
	}
	p, contentType, err := read(r)
	if err != nil {
		return inbox.Inbound{}, err
	}
	p.event = event
	if p.Repository == nil || p.Repository.ID == 0 {
		return inbox.Inbound{}, missing("repository.id")
	}
	in := inbox.Inbound{
		Provider:    Name,
		Source:      Name,
		EventID:     "delivery:" + strings.ToValidUTF8(delivery, "\uFFFD"),
		Kind:        inbox.AddMessage,
		Target:      strings.ToLower(p.Repository.FullName),
		Contact:     p.Sender.contact(),
		ContentType: contentType,
		Raw:         r.Body,
	}
	if err := handle(p, &in); err != nil {
		return inbox.Inbound{}, err
	}
	// A branch, for one, may be named by who sends with an API key.
	if len(in.Thread.ExternalID) > maxID || len(in.Target) > maxID {
		return inbox.Inbound{}, invalid("the names of repository, branch or commit are longer than %d bytes", maxID)
	}
	in.Thread.Subject = short(in.Thread.Subject, maxSubject)
	return in, nil
}

func invalid(format string, args ...any) error {
	return inbox.Errorf(inbox.CodeInvalid, format, args...)
}

func missing(field string) error {
	return invalid("field %s: missing: want the payload as GitHub sends it with this event", field)
}

// unsupported is the answer to an action that makes no message.
func (p *payload) unsupported() error {
	return provider.Ignored{Reason: fmt.Sprintf("unsupported action: %s %s", p.event, word(p.Action))}
}

// word lets through what is shaped like a name of an event or action, as it ends
// up in answers and counters.
func word(s string) string {
	if s == "" || len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "(not a name)"
	}
	return s
}

// thread is the external id of one of the repository's conversations.
func (p *payload) thread(rest string) string {
	return "repo:" + strconv.FormatInt(p.Repository.ID, 10) + rest
}

// objectID is the external id of a message that is an object of GitHub's.
func objectID(kind string, id int64) string {
	if id == 0 {
		return ""
	}
	return kind + ":" + strconv.FormatInt(id, 10)
}
