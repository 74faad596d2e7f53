package github

import (
	"fmt"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

const (
	maxCommits     = 20 // of a push that are listed
	maxAttachments = 50
)

// push is what came onto a branch or tag, which is one long conversation: its
// subject names the branch, its messages say what came.
func push(p *payload, in *inbox.Inbound) error {
	kind, name := "branch", ""
	if branch, ok := strings.CutPrefix(p.Ref, "refs/heads/"); ok {
		name = branch
	} else if tag, ok := strings.CutPrefix(p.Ref, "refs/tags/"); ok {
		kind, name = "tag", tag
	}
	if name == "" {
		return missing("ref")
	}
	in.Thread.ExternalID = p.thread("/push/" + p.Ref)
	in.Thread.Subject = "Pushes to " + name
	if kind == "tag" {
		in.Thread.Subject = "Tag " + name
	}

	head := short(name, maxName) + ": "
	switch n := len(p.Commits); {
	case p.Deleted:
		head += kind + " deleted"
	case kind == "tag" && p.Created:
		head += "tag created"
	case kind == "tag":
		head += "tag moved"
	case p.Created && n == 0:
		head += "branch created"
	case p.Created:
		head += "branch created, " + commits(n)
	case p.Forced:
		head += "force-pushed, " + commits(n)
	default:
		head += commits(n)
	}
	list := []string{head}
	for i, c := range p.Commits {
		if i == maxCommits {
			list = append(list, fmt.Sprintf("… and %d more", len(p.Commits)-i))
			break
		}
		line := at(c.ID, c.Message)
		if c.Author.Name != "" {
			line += " — " + short(c.Author.Name, maxName)
		}
		list = append(list, line)
	}
	in.Message.Type = "push"
	in.Message.Text = lines(list...)
	in.Message.URL = link(p.Compare)
	in.Message.SentAt = first(p.Repository.PushedAt)
	in.Message.Data = map[string]any{"before": short(p.Before, maxName), "after": short(p.After, maxName)}
	return nil
}

func commits(n int) string {
	if n == 1 {
		return "1 commit"
	}
	return fmt.Sprintf("%d commits", n)
}

// releases is a release that the public can see. GitHub tells of one thing up to
// three times (created, published, released): published is the one that always comes.
func releases(p *payload, in *inbox.Inbound) error {
	r := p.Release
	if r == nil || r.ID == 0 {
		return missing("release.id")
	}
	name := firstLine(r.Name)
	if name == "" {
		name = short(r.TagName, maxName)
	}
	in.Thread.ExternalID = p.thread("/release/" + itoa(r.ID))
	in.Thread.Subject = name
	in.Message.Type = "release"
	in.Message.URL = link(r.HTMLURL)
	switch p.Action {
	case "published":
	case "edited":
		if r.Draft {
			return provider.Ignored{Reason: "a draft of a release"}
		}
		in.Kind = inbox.EditMessage
	case "unpublished", "deleted":
		in.Message.Type += "_" + p.Action
		in.Message.Text = "Release " + short(r.TagName, maxName) + " " + p.Action + " at GitHub."
		in.Message.SentAt = first(r.UpdatedAt)
		return nil
	default:
		return p.unsupported()
	}
	by(in, r.Author)
	in.Message.ExternalID = objectID("release", r.ID)
	if in.Message.Text = r.Body; strings.TrimSpace(r.Body) == "" {
		in.Message.Text = name
	}
	in.Message.SentAt = first(r.PublishedAt)
	in.Message.Data = map[string]any{"tag": short(r.TagName, maxName), "prerelease": r.Prerelease}
	for _, a := range r.Assets[:min(len(r.Assets), maxAttachments)] {
		if url := link(a.URL); url != "" {
			in.Message.Attachments = append(in.Message.Attachments, inbox.InboundAttachment{
				Kind: "file", Name: short(a.Name, maxName), MIMEType: short(a.ContentType, maxName), Size: max(a.Size, 0), URL: url,
			})
		}
	}
	return nil
}
