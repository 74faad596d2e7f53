package github

import (
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// maxLabels is how many labels a thread takes from GitHub, which allows twice as many.
const maxLabels = 50

func issues(p *payload, in *inbox.Inbound) error {
	return p.topic(in, "issue", p.Issue)
}

func pullRequest(p *payload, in *inbox.Inbound) error {
	return p.topic(in, "pull_request", p.PullRequest)
}

func discussions(p *payload, in *inbox.Inbound) error {
	return p.topic(in, "discussion", p.Discussion)
}

// about puts the event into the conversation of an issue, a pull request or a
// discussion. Issues and pull requests share their numbers.
func (p *payload) about(in *inbox.Inbound, kind string, t *topic) error {
	if t == nil || t.Number == 0 {
		return missing(kind + ".number")
	}
	in.Thread.ExternalID = p.thread("#" + itoa(t.Number))
	if kind == "discussion" {
		in.Thread.ExternalID = p.thread("/discussion/" + itoa(t.Number))
	}
	in.Thread.Subject = t.Title
	in.Message.URL = link(t.HTMLURL)
	return nil
}

// topic is an event of an issue, a pull request or a discussion itself.
func (p *payload) topic(in *inbox.Inbound, kind string, t *topic) error {
	if err := p.about(in, kind, t); err != nil {
		return err
	}
	switch p.Action {
	case "opened", "created":
		p.opened(in, kind, t)
		return nil
	case "edited":
		in.Kind = inbox.EditMessage
		p.opened(in, kind, t)
		return nil
	case "labeled":
		in.Thread.Labels = labels(named{p.labelName()})
	case "answered":
		if p.Answer != nil {
			in.Message.ParentID = objectID("discussion_comment", p.Answer.ID)
		}
		if url := link(t.AnswerHTMLURL); url != "" {
			in.Message.URL = url
		}
	case "transferred":
		if there := p.moved(); there != nil && link(there.HTMLURL) != "" {
			in.Message.URL = link(there.HTMLURL)
		}
	}
	in.Message.Type = kind + "_" + p.Action
	if kind == "pull_request" && p.Action == "closed" && t.Merged {
		in.Message.Type = "pull_request_merged"
	}
	if in.Message.Text = p.happened(kind, t); in.Message.Text == "" {
		return p.unsupported()
	}
	in.Message.SentAt = first(t.UpdatedAt)
	return nil
}

// opened is the message that a topic begins with, as it is now.
func (p *payload) opened(in *inbox.Inbound, kind string, t *topic) {
	in.Thread.Labels = labels(t.Labels...)
	in.Message.ExternalID = objectID(kind, t.ID)
	in.Message.Type = kind
	in.Message.SentAt = first(t.CreatedAt)
	if in.Message.Text = t.Body; strings.TrimSpace(t.Body) == "" {
		in.Message.Text = t.Title
	}
	by(in, t.User)
	data := map[string]any{}
	if t.Base.Ref != "" {
		data["base"], data["head"] = short(t.Base.Ref, maxName), short(t.Head.Ref, maxName)
	}
	if t.Draft {
		data["draft"] = true
	}
	if t.Category != nil && t.Category.Name != "" {
		data["category"] = short(t.Category.Name, maxName)
	}
	if len(data) > 0 {
		in.Message.Data = data
	}
}

// by makes the author of an object the one who wrote it, who need not be the
// sender of its edit.
func by(in *inbox.Inbound, author *user) {
	if c := author.contact(); c != nil {
		in.Contact = c
	}
}

// happened says what an action did, or nothing when it makes no message.
func (p *payload) happened(kind string, t *topic) string {
	switch kind + " " + p.Action {
	case "issue assigned", "pull_request assigned":
		return "Assigned to " + p.Assignee.login() + "."
	case "issue unassigned", "pull_request unassigned":
		return "No longer assigned to " + p.Assignee.login() + "."
	case "issue closed", "discussion closed":
		if t.StateReason != "" {
			return "Closed as " + spaced(t.StateReason) + "."
		}
		return "Closed."
	case "issue deleted", "discussion deleted":
		return "Deleted at GitHub."
	case "issue transferred", "discussion transferred":
		return "Transferred to " + p.destination() + "."
	case "discussion answered":
		return "Marked as answered."
	case "discussion unanswered":
		return "No longer marked as answered."
	case "pull_request closed":
		if t.Merged {
			return "Merged " + short(t.Head.Ref, maxName) + " into " + short(t.Base.Ref, maxName) + "."
		}
		return "Closed without merging."
	case "pull_request synchronize":
		return "New commits: " + shortSHA(p.Before) + " → " + shortSHA(p.After) + "."
	case "pull_request review_requested":
		return "Review requested from " + p.reviewer() + "."
	case "pull_request review_request_removed":
		return "Review no longer requested from " + p.reviewer() + "."
	case "pull_request ready_for_review":
		return "Ready for review."
	case "pull_request converted_to_draft":
		return "Converted to a draft."
	}
	switch p.Action { // of all three
	case "reopened":
		return "Reopened."
	case "labeled":
		return "Labeled " + p.labelName() + "."
	case "unlabeled":
		return "No longer labeled " + p.labelName() + "."
	}
	return ""
}

func (p *payload) labelName() string {
	if p.Label == nil {
		return ""
	}
	return short(p.Label.Name, maxName)
}

func (p *payload) reviewer() string {
	if p.Team != nil && p.Team.Name != "" {
		return "the team " + short(p.Team.Name, maxName)
	}
	return p.Reviewer.login()
}

// moved is the topic as which a transferred one goes on.
func (p *payload) moved() *topic {
	switch {
	case p.Changes == nil:
		return nil
	case p.Changes.NewIssue != nil:
		return p.Changes.NewIssue
	default:
		return p.Changes.NewDiscussion
	}
}

func (p *payload) destination() string {
	there := p.moved()
	if there == nil || p.Changes.NewRepository == nil {
		return "another repository"
	}
	return short(p.Changes.NewRepository.FullName, maxName) + "#" + itoa(there.Number)
}

// labels are the names of GitHub's labels, as many as a thread takes.
func labels(all ...named) []string {
	var names []string
	for _, l := range all {
		if name := short(strings.TrimSpace(l.Name), 100); name != "" && len(names) < maxLabels {
			names = append(names, name)
		}
	}
	return names
}
