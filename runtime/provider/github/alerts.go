package github

import (
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// alert is one of Dependabot, code scanning or secret scanning. What it does not
// name is not read: the value of a leaked secret and the comments on it, above all.
type alert struct {
	Number    int64  `json:"number"`
	HTMLURL   string `json:"html_url"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`

	// Of Dependabot and code scanning.
	DismissedReason string `json:"dismissed_reason"`

	// Of Dependabot.
	Dependency struct {
		Package struct {
			Name      string `json:"name"`
			Ecosystem string `json:"ecosystem"`
		} `json:"package"`
		ManifestPath string `json:"manifest_path"`
	} `json:"dependency"`
	Advisory struct {
		GHSA    string `json:"ghsa_id"`
		CVE     string `json:"cve_id"`
		Summary string `json:"summary"`
	} `json:"security_advisory"`
	Vulnerability struct {
		Severity string `json:"severity"`
		Range    string `json:"vulnerable_version_range"`
		Patched  struct {
			Version string `json:"identifier"`
		} `json:"first_patched_version"`
	} `json:"security_vulnerability"`

	// Of code scanning.
	Rule struct {
		ID          string `json:"id"`
		Description string `json:"description"`
		Severity    string `json:"severity"`                // note, warning, error
		Security    string `json:"security_severity_level"` // low, medium, high, critical
	} `json:"rule"`
	Tool   named `json:"tool"`
	Latest struct {
		Location struct {
			Path string `json:"path"`
			Line int64  `json:"start_line"`
		} `json:"location"`
		Message struct {
			Text string `json:"text"`
		} `json:"message"`
	} `json:"most_recent_instance"`

	// Of secret scanning.
	SecretType     string `json:"secret_type"`
	SecretTypeName string `json:"secret_type_display_name"`
	Resolution     string `json:"resolution"`
	Validity       string `json:"validity"`
	PubliclyLeaked bool   `json:"publicly_leaked"`
}

// alertActions says what the actions of alerts did. One without a text is told by
// the alert's own.
var alertActions = map[string]struct {
	text string
	open bool // the alert is open after it, so that its severity counts
}{
	"dependabot_alert created":               {"", true},
	"dependabot_alert reopened":              {"Reopened.", true},
	"dependabot_alert auto_reopened":         {"Reopened by a rule.", true},
	"dependabot_alert reintroduced":          {"The vulnerable dependency is back.", true},
	"dependabot_alert fixed":                 {"Fixed.", false},
	"dependabot_alert dismissed":             {"Dismissed", false},
	"dependabot_alert auto_dismissed":        {"Dismissed by a rule.", false},
	"code_scanning_alert created":            {"", true},
	"code_scanning_alert reopened":           {"Reopened: the code shows it again.", true},
	"code_scanning_alert reopened_by_user":   {"Reopened.", true},
	"code_scanning_alert appeared_in_branch": {"Appeared in", true},
	"code_scanning_alert fixed":              {"Fixed.", false},
	"code_scanning_alert closed_by_user":     {"Dismissed", false},
	"secret_scanning_alert created":          {"", true},
	"secret_scanning_alert reopened":         {"Reopened.", true},
	"secret_scanning_alert publicly_leaked":  {"The secret was found in public.", true},
	"secret_scanning_alert validated":        {"Checked whether the secret works", true},
	"secret_scanning_alert resolved":         {"Resolved", false},
	"secret_scanning_alert revoked":          {"The secret was revoked.", false},
}

// alert is what the events of all three kinds have in common. whole is the text of
// a new alert, detail what an action's text is followed by.
func (p *payload) alert(in *inbox.Inbound, path, severity, whole, detail string) error {
	a := p.Alert
	if a.Number == 0 {
		return missing("alert.number")
	}
	action, supported := alertActions[p.event+" "+p.Action]
	if !supported {
		return p.unsupported()
	}
	in.Thread.ExternalID = p.thread("/" + path + "/" + itoa(a.Number))
	in.Message.URL = link(a.HTMLURL)
	if action.open {
		in.Thread.Priority = severities[severity]
	}
	if p.Action == "created" {
		// An alert's number counts within its repository.
		in.Message.ExternalID = objectID(objectID(p.event, p.Repository.ID), a.Number)
		in.Message.Type = p.event
		in.Message.Text = whole
		in.Message.SentAt = first(a.CreatedAt)
		return nil
	}
	in.Message.Type = p.event + "_" + p.Action
	in.Message.SentAt = first(a.UpdatedAt)
	switch {
	case strings.HasSuffix(action.text, "."):
		in.Message.Text = action.text
	case detail == "":
		in.Message.Text = action.text + "."
	default:
		in.Message.Text = action.text + detail + "."
	}
	return nil
}

var severities = map[string]inbox.Priority{"critical": inbox.Urgent, "high": inbox.High}

func dependabotAlert(p *payload, in *inbox.Inbound) error {
	a := p.Alert
	if a == nil {
		return missing("alert")
	}
	name, severity := short(a.Dependency.Package.Name, maxName), short(a.Vulnerability.Severity, maxName)
	in.Thread.Subject = firstLine(a.Advisory.Summary)
	if in.Thread.Subject == "" {
		in.Thread.Subject = "Vulnerable dependency " + name
	}
	return p.alert(in, "dependabot", severity, lines(
		in.Thread.Subject,
		labelled("Package", strings.TrimSpace(name+" "+inBrackets(short(a.Dependency.Package.Ecosystem, maxName)))),
		labelled("Manifest", short(a.Dependency.ManifestPath, maxSubject)),
		labelled("Severity", severity),
		labelled("Vulnerable", short(a.Vulnerability.Range, maxName)),
		labelled("Fixed in", short(a.Vulnerability.Patched.Version, maxName)),
		labelled("Advisory", strings.TrimSpace(short(a.Advisory.GHSA, maxName)+" "+short(a.Advisory.CVE, maxName))),
	), because(a.DismissedReason))
}

func codeScanningAlert(p *payload, in *inbox.Inbound) error {
	a := p.Alert
	if a == nil {
		return missing("alert")
	}
	severity := a.Rule.Security
	if severity == "" {
		severity = a.Rule.Severity
	}
	severity = short(severity, maxName)
	in.Thread.Subject = firstLine(a.Rule.Description)
	if in.Thread.Subject == "" {
		in.Thread.Subject = "Code scanning: " + short(a.Rule.ID, maxName)
	}
	where := short(a.Latest.Location.Path, maxSubject)
	if where != "" && a.Latest.Location.Line > 0 {
		where += ":" + itoa(a.Latest.Location.Line)
	}
	detail := because(a.DismissedReason)
	if p.Action == "appeared_in_branch" {
		detail = " " + short(strings.TrimPrefix(p.Ref, "refs/heads/"), maxName)
	}
	return p.alert(in, "code-scanning", severity, lines(
		in.Thread.Subject,
		short(strings.TrimSpace(a.Latest.Message.Text), 10*maxLine),
		labelled("Where", where),
		labelled("Severity", severity),
		labelled("Rule", strings.TrimSpace(short(a.Rule.ID, maxName)+" "+inBrackets(short(a.Tool.Name, maxName)))),
	), detail)
}

// secretScanningAlert tells of a leaked secret by its kind. A leak has no severity
// at GitHub: it is high, and critical once the secret works or is public.
func secretScanningAlert(p *payload, in *inbox.Inbound) error {
	a := p.Alert
	if a == nil {
		return missing("alert")
	}
	kind := short(a.SecretTypeName, maxName)
	if kind == "" {
		kind = spaced(a.SecretType)
	}
	severity, works := "high", ""
	switch a.Validity {
	case "active":
		severity, works = "critical", "it does"
	case "inactive":
		works = "it does not"
	}
	if a.PubliclyLeaked || p.Action == "publicly_leaked" {
		severity = "critical"
	}
	detail := because(a.Resolution)
	if p.Action == "validated" && works != "" {
		detail = ": " + works
	}
	public := ""
	if a.PubliclyLeaked {
		public = "It is public."
	}
	in.Thread.Subject = "Leaked secret: " + kind
	return p.alert(in, "secret-scanning", severity, lines(
		"A secret was found in the repository: "+kind+".",
		labelled("Does it work", works),
		public,
	), detail)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " as " + spaced(reason)
}

func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + ": " + value
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}
