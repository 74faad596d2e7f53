package github

import (
	"fmt"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// outcomes says GitHub's conclusions as what happened.
var outcomes = map[string]string{
	"success":         "succeeded",
	"failure":         "failed",
	"cancelled":       "was cancelled",
	"timed_out":       "timed out",
	"action_required": "needs action",
	"neutral":         "ended neutral",
	"stale":           "went stale",
	"startup_failure": "failed to start",
}

var failures = map[string]bool{"failure": true, "timed_out": true, "startup_failure": true}

func outcome(conclusion string) string {
	if o, known := outcomes[conclusion]; known {
		return o
	}
	return "ended"
}

var errSkipped = provider.Ignored{Reason: "checks that were skipped"}

// workflowRun is a finished run of a workflow. That it was asked for or has begun
// is no news to anyone.
func workflowRun(p *payload, in *inbox.Inbound) error {
	r := p.WorkflowRun
	switch {
	case p.Action != "completed":
		return p.unsupported()
	case r == nil || r.ID == 0:
		return missing("workflow_run.id")
	case r.Conclusion == "skipped":
		return errSkipped
	}
	what := fmt.Sprintf("%s #%d %s", short(r.Name, maxName), r.Number, outcome(r.Conclusion))
	if r.HeadBranch != "" {
		what += " on " + short(r.HeadBranch, maxName)
	}
	in.Thread.ExternalID = p.thread("/run/" + itoa(r.ID))
	in.Thread.Subject = what
	own := r.HeadRepository == nil || r.HeadRepository.ID == p.Repository.ID
	in.Thread.Priority = p.failed(r.Conclusion, r.HeadBranch, own)

	if r.Attempt > 1 {
		what += fmt.Sprintf(" (attempt %d)", r.Attempt)
	}
	in.Message.ExternalID = fmt.Sprintf("workflow_run:%d:%d", r.ID, r.Attempt)
	in.Message.Type = "workflow_run"
	in.Message.Text = lines(what, at(r.HeadSHA, r.Title))
	in.Message.URL = link(r.HTMLURL)
	in.Message.SentAt = first(r.UpdatedAt)
	in.Message.Data = map[string]any{"conclusion": short(r.Conclusion, maxName), "attempt": r.Attempt}
	if r.Event != "" {
		in.Message.Data["event"] = short(r.Event, maxName)
	}
	return nil
}

// at says which commit something is about.
func at(sha, message string) string {
	return strings.TrimSpace(shortSHA(sha) + " " + firstLine(message))
}

// failed is the priority of a check: high when it failed on the repository's own
// default branch, where it concerns everyone.
func (p *payload) failed(conclusion, branch string, own bool) inbox.Priority {
	if failures[conclusion] && own && branch != "" && branch == p.Repository.DefaultBranch {
		return inbox.High
	}
	return ""
}

// suite puts the event into the conversation of a branch's checks. A suite of a
// fork's commit has no branch here, and is a conversation of its own.
func (p *payload) suite(in *inbox.Inbound, s *checkSuite) error {
	switch {
	case s == nil || s.ID == 0:
		return missing("check_suite.id")
	case s.HeadBranch != "":
		in.Thread.ExternalID = p.thread("/checks/" + s.HeadBranch)
		in.Thread.Subject = "Checks on " + s.HeadBranch
	default:
		in.Thread.ExternalID = p.thread("/check-suite/" + itoa(s.ID))
		in.Thread.Subject = "Checks at " + shortSHA(s.HeadSHA)
	}
	return nil
}

// checkSuites is all the checks of one app on one commit, done. It has no page of
// its own, but its commit's has the checks.
func checkSuites(p *payload, in *inbox.Inbound) error {
	s := p.CheckSuite
	if p.Action != "completed" {
		return p.unsupported()
	}
	if err := p.suite(in, s); err != nil {
		return err
	}
	if s.Conclusion == "skipped" {
		return errSkipped
	}
	what := "Checks"
	if s.App != nil && s.App.Name != "" {
		what += " of " + short(s.App.Name, maxName)
	}
	what += ": " + outcome(s.Conclusion)
	if s.HeadBranch != "" {
		what += " on " + short(s.HeadBranch, maxName)
	}
	var message string
	if s.HeadCommit != nil {
		message = s.HeadCommit.Message
	}
	in.Thread.Priority = p.failed(s.Conclusion, s.HeadBranch, true)
	in.Message.Type = "check_suite"
	in.Message.Text = lines(what, at(s.HeadSHA, message))
	if s.HeadSHA != "" {
		in.Message.URL = link(p.Repository.HTMLURL + "/commit/" + s.HeadSHA)
	}
	in.Message.SentAt = first(s.UpdatedAt)
	in.Message.Data = map[string]any{"conclusion": short(s.Conclusion, maxName)}
	return nil
}

// checkRuns is one check. The good ones are told by their suite.
func checkRuns(p *payload, in *inbox.Inbound) error {
	r := p.CheckRun
	switch {
	case p.Action != "completed":
		return p.unsupported()
	case r == nil || r.ID == 0:
		return missing("check_run.id")
	}
	switch r.Conclusion {
	case "skipped":
		return errSkipped
	case "success", "neutral":
		return provider.Ignored{Reason: "a check run that went well: its suite tells"}
	}
	if err := p.suite(in, r.CheckSuite); err != nil {
		return err
	}
	what := short(r.Name, maxName) + " " + outcome(r.Conclusion)
	if b := r.CheckSuite.HeadBranch; b != "" {
		what += " on " + short(b, maxName)
	}
	in.Thread.Priority = p.failed(r.Conclusion, r.CheckSuite.HeadBranch, true)
	in.Message.Type = "check_run"
	in.Message.Text = lines(what, firstLine(r.Output.Title), at(r.HeadSHA, ""))
	in.Message.URL = link(r.HTMLURL)
	in.Message.SentAt = first(r.CompletedAt)
	in.Message.Data = map[string]any{"conclusion": short(r.Conclusion, maxName)}
	return nil
}
