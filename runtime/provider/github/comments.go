package github

import (
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

// issueComment is a comment on an issue, or on a pull request as a whole.
func issueComment(p *payload, in *inbox.Inbound) error {
	if err := p.about(in, "issue", p.Issue); err != nil {
		return err
	}
	return p.comment(in, "issue_comment", "issue_comment")
}

func discussionComment(p *payload, in *inbox.Inbound) error {
	if err := p.about(in, "discussion", p.Discussion); err != nil {
		return err
	}
	if p.Comment != nil {
		in.Message.ParentID = objectID("discussion_comment", p.Comment.ParentID)
	}
	return p.comment(in, "discussion_comment", "discussion_comment")
}

// reviewComment is a comment on a line of a pull request. It answers the comment
// that its conversation began with, which in turn belongs to a review.
func reviewComment(p *payload, in *inbox.Inbound) error {
	if err := p.about(in, "pull_request", p.PullRequest); err != nil {
		return err
	}
	if c := p.Comment; c != nil {
		in.Message.ParentID = objectID("review_comment", c.InReplyTo)
		if c.InReplyTo == 0 {
			in.Message.ParentID = objectID("review", c.ReviewID)
		}
	}
	return p.comment(in, "review_comment", "pull_request_review_comment")
}

func commitComment(p *payload, in *inbox.Inbound) error {
	if p.Comment == nil || p.Comment.CommitID == "" {
		return missing("comment.commit_id")
	}
	in.Thread.ExternalID = p.thread("/commit/" + p.Comment.CommitID)
	in.Thread.Subject = "Commit " + shortSHA(p.Comment.CommitID)
	return p.comment(in, "commit_comment", "commit_comment")
}

// comment is a comment's message. Its deletion takes the text away, as whoever
// deletes a comment wants it gone; the message stays, so that answers keep their place.
func (p *payload) comment(in *inbox.Inbound, kind, messageType string) error {
	c := p.Comment
	if c == nil || c.ID == 0 {
		return missing("comment.id")
	}
	in.Message.ExternalID = objectID(kind, c.ID)
	in.Message.Type = messageType
	in.Message.Text = c.Body
	in.Message.SentAt = first(c.CreatedAt)
	if url := link(c.HTMLURL); url != "" {
		in.Message.URL = url
	}
	by(in, c.User)
	if c.Path != "" {
		in.Message.Data = map[string]any{"path": short(c.Path, maxSubject)}
		if c.Line > 0 {
			in.Message.Data["line"] = c.Line
		}
	}
	switch p.Action {
	case "created":
	case "edited":
		in.Kind = inbox.EditMessage
	case "deleted":
		in.Kind = inbox.EditMessage
		in.Message.Text = "Deleted at GitHub."
		in.Message.Data = map[string]any{"deleted": true}
	default:
		return p.unsupported()
	}
	return nil
}

// reviews is a review as a whole. GitHub wraps a lone comment on a line into a
// review without text: that one says nothing which its comment does not.
func reviews(p *payload, in *inbox.Inbound) error {
	if err := p.about(in, "pull_request", p.PullRequest); err != nil {
		return err
	}
	r := p.Review
	if r == nil || r.ID == 0 {
		return missing("review.id")
	}
	if url := link(r.HTMLURL); url != "" {
		in.Message.URL = url
	}
	switch p.Action {
	case "submitted":
	case "edited":
		in.Kind = inbox.EditMessage
	case "dismissed":
		in.Message.Type = "pull_request_review_dismissed"
		in.Message.Text = "Dismissed the review of " + r.User.login() + "."
		in.Message.ParentID = objectID("review", r.ID)
		in.Message.SentAt = first(p.PullRequest.UpdatedAt)
		return nil
	default:
		return p.unsupported()
	}
	state := strings.ToLower(short(r.State, maxName))
	if state == "commented" && strings.TrimSpace(r.Body) == "" {
		return provider.Ignored{Reason: "a review without text: its comments are events of their own"}
	}
	in.Message.ExternalID = objectID("review", r.ID)
	in.Message.Type = "pull_request_review"
	in.Message.Text = lines(verdicts[state], r.Body)
	in.Message.SentAt = first(r.SubmittedAt)
	in.Message.Data = map[string]any{"state": state}
	by(in, r.User)
	return nil
}

var verdicts = map[string]string{
	"approved":          "Approved.",
	"changes_requested": "Requested changes.",
	"dismissed":         "(This review was dismissed.)",
}

// reviewThread is the conversation on a line, settled or taken up again.
func reviewThread(p *payload, in *inbox.Inbound) error {
	if err := p.about(in, "pull_request", p.PullRequest); err != nil {
		return err
	}
	var begin comment
	if p.Thread != nil && len(p.Thread.Comments) > 0 {
		begin = p.Thread.Comments[0]
	}
	where := "a conversation."
	if begin.Path != "" {
		where = "the conversation on " + short(begin.Path, maxSubject) + "."
	}
	switch p.Action {
	case "resolved":
		in.Message.Text = "Resolved " + where
	case "unresolved":
		in.Message.Text = "Reopened " + where
	default:
		return p.unsupported()
	}
	in.Message.Type = "pull_request_review_thread_" + p.Action
	in.Message.ParentID = objectID("review_comment", begin.ID)
	if url := link(begin.HTMLURL); url != "" {
		in.Message.URL = url
	}
	in.Message.SentAt = first(p.PullRequest.UpdatedAt)
	return nil
}
