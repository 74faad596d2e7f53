package desk

import (
	"fmt"
	"hash/fnv"
	"time"
)

// topic is what a story at GitHub is about.
type topic struct {
	number int64  // of the issue or pull request, or of the run
	kind   string // "issue", "pull_request", "workflow_run"
	title  string
	by     string
	labels []string
	branch string // of a run
}

const repositoryID = 703918011

// thread is the conversation's name: each round has an issue or a run of its own.
func (t *topic) thread(name string, round int) string { return fmt.Sprintf("%s-%d", name, round) }

// hooks says what GitHub tells: an event, its action, who did it, and a text if there is one.
func hooks(after time.Duration, event, action, by, text string) step {
	return step{after: after, kind: Hooks, event: event, text: text, body: map[string]any{"action": action, "by": by}}
}

// hook is GitHub's payload, as much of it as makes a message.
func (s *story) hook(step step, at time.Time, round int) map[string]any {
	action, by := step.body["action"].(string), step.body["by"].(string)
	number := s.topic.number + int64(100*round)
	stamp := at.UTC().Format(time.RFC3339)
	const page = "https://github.com/acme/rockets"
	repository := map[string]any{"id": repositoryID, "full_name": "acme/rockets", "html_url": page, "default_branch": "main"}
	body := map[string]any{"action": action, "repository": repository, "sender": login(by)}
	if step.event == "workflow_run" {
		body["action"] = "completed"
		body["workflow_run"] = map[string]any{
			"id": 9000000 + number, "name": "ci", "run_number": number, "run_attempt": 1, "display_title": s.topic.title, "event": "push",
			"conclusion": action, "head_branch": s.topic.branch, "head_sha": sha(s.topic.title, number), "html_url": fmt.Sprintf("%s/actions/runs/%d", page, 9000000+number),
			"head_repository": repository, "updated_at": stamp,
		}
		return body
	}
	path, key := "issues", "issue"
	if s.topic.kind == "pull_request" {
		path = "pull"
		if step.event != "issue_comment" { // GitHub has these as issues
			key = "pull_request"
		}
	}
	labels := make([]map[string]any, 0, len(s.topic.labels))
	for _, l := range s.topic.labels {
		labels = append(labels, map[string]any{"name": l})
	}
	about := map[string]any{
		"id": 2101000000 + number, "number": number, "title": s.topic.title, "html_url": fmt.Sprintf("%s/%s/%d", page, path, number),
		"user": login(s.topic.by), "labels": labels, "created_at": stamp, "updated_at": stamp,
		"head": map[string]any{"ref": s.topic.branch}, "base": map[string]any{"ref": "main"},
	}
	switch {
	case action == "opened":
		about["body"] = step.text
	case action == "closed":
		about["closed_at"], about["merged"], about["state_reason"] = stamp, key == "pull_request", "completed"
	case step.event == "issue_comment":
		id := int64(sum(fmt.Sprint(number, step.text)))
		body["comment"] = map[string]any{
			"id": id, "body": step.text, "user": login(by), "created_at": stamp, "html_url": fmt.Sprintf("%s/%s/%d#issuecomment-%d", page, path, number, id),
		}
	case step.event == "pull_request_review":
		body["review"] = map[string]any{
			"id": int64(sum(fmt.Sprint(number, step.text))), "body": step.text, "state": action, "user": login(by), "submitted_at": stamp, "html_url": fmt.Sprintf("%s/pull/%d", page, number),
		}
		body["action"] = "submitted"
	}
	body[key] = about
	return body
}

func login(name string) map[string]any {
	return map[string]any{"id": int64(sum(name)), "login": name, "html_url": "https://github.com/" + name}
}

// sum makes a number of a name, the same each time.
func sum(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

func sha(title string, number int64) string {
	return fmt.Sprintf("%08x%08x%08x%08x%08x", sum(title), sum(fmt.Sprint(number)), sum("a"+title), sum("b"+title), number)
}
