package github

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// payload is what we use of the payloads of all events, whose field names agree
// where they meet. Only what becomes part of a message is read: a change
// elsewhere in GitHub's large objects can't make a call fail, and a secret that
// stands elsewhere is never in our hands. (The types of go-github read all of it,
// which takes twice as long, and refuse what GitHub has changed since, such as
// the answer_chosen_by of a discussion.)
type payload struct {
	event string // X-GitHub-Event

	Action     string      `json:"action"`
	Repository *repository `json:"repository"`
	Sender     *user       `json:"sender"`

	Issue       *topic   `json:"issue"`
	PullRequest *topic   `json:"pull_request"`
	Discussion  *topic   `json:"discussion"`
	Changes     *changes `json:"changes"`
	Assignee    *user    `json:"assignee"`
	Label       *named   `json:"label"`
	Reviewer    *user    `json:"requested_reviewer"`
	Team        *named   `json:"requested_team"`
	Answer      *comment `json:"answer"`

	Comment *comment `json:"comment"`
	Review  *review  `json:"review"`
	Thread  *struct {
		Comments []comment `json:"comments"`
	} `json:"thread"`

	WorkflowRun *run        `json:"workflow_run"`
	CheckSuite  *checkSuite `json:"check_suite"`
	CheckRun    *checkRun   `json:"check_run"`

	// Of a push; ref of a code scanning alert too, before and after of new commits
	// of a pull request too.
	Ref     string   `json:"ref"`
	Before  string   `json:"before"`
	After   string   `json:"after"`
	Created bool     `json:"created"`
	Deleted bool     `json:"deleted"`
	Forced  bool     `json:"forced"`
	Compare string   `json:"compare"`
	Commits []commit `json:"commits"`

	Release *release `json:"release"`
	Alert   *alert   `json:"alert"`
}

type repository struct {
	ID            int64  `json:"id"`
	FullName      string `json:"full_name"`
	HTMLURL       string `json:"html_url"`
	DefaultBranch string `json:"default_branch"`
	PushedAt      stamp  `json:"pushed_at"`
}

type user struct {
	ID        int64  `json:"id"`
	Login     string `json:"login"`
	Name      string `json:"name"`
	HTMLURL   string `json:"html_url"`
	AvatarURL string `json:"avatar_url"`
}

// contact is nil for nobody: GitHub sends null for an account that is gone.
func (u *user) contact() *inbox.InboundContact {
	if u == nil || u.ID == 0 {
		return nil
	}
	c := &inbox.InboundContact{
		ExternalID: itoa(u.ID),
		Name:       short(u.Name, maxName),
		Handle:     short(u.Login, maxName),
		URL:        link(u.HTMLURL),
		AvatarURL:  link(u.AvatarURL),
	}
	if c.Name == "" {
		c.Name = c.Handle
	}
	return c
}

func (u *user) login() string {
	if u == nil || u.Login == "" {
		return "someone"
	}
	return short(u.Login, maxName)
}

type named struct {
	Name string `json:"name"`
}

// topic is an issue, a pull request or a discussion.
type topic struct {
	ID          int64   `json:"id"`
	Number      int64   `json:"number"`
	Title       string  `json:"title"`
	Body        string  `json:"body"`
	HTMLURL     string  `json:"html_url"`
	User        *user   `json:"user"`
	Labels      []named `json:"labels"`
	StateReason string  `json:"state_reason"`
	CreatedAt   stamp   `json:"created_at"`
	UpdatedAt   stamp   `json:"updated_at"`
	ClosedAt    stamp   `json:"closed_at"`

	// Of pull requests.
	Draft  bool   `json:"draft"`
	Merged bool   `json:"merged"`
	Head   branch `json:"head"`
	Base   branch `json:"base"`

	// Of discussions.
	Category      *named `json:"category"`
	AnswerHTMLURL string `json:"answer_html_url"`
}

type branch struct {
	Ref string `json:"ref"`
}

type changes struct {
	NewIssue      *topic      `json:"new_issue"`
	NewDiscussion *topic      `json:"new_discussion"`
	NewRepository *repository `json:"new_repository"`
}

// comment is one of an issue, a pull request, a review, a commit or a discussion.
type comment struct {
	ID        int64  `json:"id"`
	Body      string `json:"body"`
	HTMLURL   string `json:"html_url"`
	User      *user  `json:"user"`
	CreatedAt stamp  `json:"created_at"`

	// What it is about, and answers.
	CommitID  string `json:"commit_id"`
	Path      string `json:"path"`
	Line      int64  `json:"line"`
	InReplyTo int64  `json:"in_reply_to_id"`
	ReviewID  int64  `json:"pull_request_review_id"`
	ParentID  int64  `json:"parent_id"`
}

type review struct {
	ID          int64  `json:"id"`
	Body        string `json:"body"`
	State       string `json:"state"`
	HTMLURL     string `json:"html_url"`
	User        *user  `json:"user"`
	SubmittedAt stamp  `json:"submitted_at"`
}

type run struct {
	ID             int64       `json:"id"`
	Name           string      `json:"name"`
	Number         int64       `json:"run_number"`
	Attempt        int64       `json:"run_attempt"`
	Title          string      `json:"display_title"`
	Event          string      `json:"event"`
	Conclusion     string      `json:"conclusion"`
	HeadBranch     string      `json:"head_branch"`
	HeadSHA        string      `json:"head_sha"`
	HTMLURL        string      `json:"html_url"`
	HeadRepository *repository `json:"head_repository"`
	UpdatedAt      stamp       `json:"updated_at"`
}

type checkSuite struct {
	ID         int64   `json:"id"`
	HeadBranch string  `json:"head_branch"`
	HeadSHA    string  `json:"head_sha"`
	Conclusion string  `json:"conclusion"`
	App        *named  `json:"app"`
	HeadCommit *commit `json:"head_commit"`
	UpdatedAt  stamp   `json:"updated_at"`
}

type checkRun struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	HeadSHA     string      `json:"head_sha"`
	Conclusion  string      `json:"conclusion"`
	HTMLURL     string      `json:"html_url"`
	CompletedAt stamp       `json:"completed_at"`
	CheckSuite  *checkSuite `json:"check_suite"`
	Output      struct {
		Title string `json:"title"`
	} `json:"output"`
}

type commit struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	Author  named  `json:"author"`
}

type release struct {
	ID          int64  `json:"id"`
	TagName     string `json:"tag_name"`
	Name        string `json:"name"`
	Body        string `json:"body"`
	HTMLURL     string `json:"html_url"`
	Draft       bool   `json:"draft"`
	Prerelease  bool   `json:"prerelease"`
	Author      *user  `json:"author"`
	PublishedAt stamp  `json:"published_at"`
	UpdatedAt   stamp  `json:"updated_at"`
	Assets      []struct {
		Name        string `json:"name"`
		ContentType string `json:"content_type"`
		Size        int64  `json:"size"`
		URL         string `json:"browser_download_url"`
	} `json:"assets"`
}

// stamp is a time: RFC 3339 in most places, the seconds since 1970 in a push. One
// that can't be read is none, as no event is worth losing for it.
type stamp struct{ time.Time }

func (s *stamp) UnmarshalJSON(b []byte) error {
	var t time.Time
	if seconds, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		t = time.Unix(seconds, 0)
	} else {
		var text string
		_ = json.Unmarshal(b, &text)
		t, _ = time.Parse(time.RFC3339, text)
	}
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 9999 {
		t = time.Time{}
	}
	*s = stamp{t}
	return nil
}

// first is the first of the times that is known.
func first(times ...stamp) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.Time
		}
	}
	return time.Time{}
}

// link lets only web addresses through, as someone will click on them.
func link(s string) string {
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return s
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
