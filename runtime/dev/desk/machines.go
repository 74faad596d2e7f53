package desk

// incidents are what the monitoring told.
var incidents = []story{
	{ago: 19 * days, name: "disk-db-1", steps: []step{
		incident(0, "Disk almost full on db-1", "db-1: /var is 92 % full, growing by 1 % an hour.", "high", "ops", "database"),
		note(m(9), "Old base backups. Removing those of last month."),
		update(m(30), "db-1: /var is 61 % full."), resolved(m(2)),
	}},
	{ago: 15*days + 2*hours, name: "cert-shop", steps: []step{
		incident(0, "Certificate of shop.acme.example expires in 14 days", "Issued by R11, expires on the 9th. The renewal has failed since yesterday: DNS challenge not found.", "", "ops", "tls"),
		set(3*hours, "assignee", "sub:bob"), note(m(4), "API token of the DNS provider had been rotated."), resolved(m(20)),
	}},
	{ago: 12*days + 9*hours, name: "queue-mail", steps: []step{
		incident(0, "Mail queue is growing", "mail-out: 1,840 waiting, the oldest for 11 minutes.", "high", "ops", "mail"),
		update(m(10), "mail-out: 4,210 waiting."), set(m(1), "priority", "urgent", "assignee", "sub:bob"),
		note(m(6), "The relay throttles us after the newsletter. Waiting is fine, nothing is lost."),
		update(m(50), "mail-out: 0 waiting."), resolved(m(1)),
	}},
	{ago: 7*days + 5*hours, name: "latency-checkout", steps: []step{
		incident(0, "Checkout is slow", "checkout: p95 is 2.4 s, the limit is 800 ms.", "high", "ops", "shop"),
		note(m(8), "Rolled back 2026.11.3"), update(m(5), "checkout: p95 is 310 ms."), resolved(m(9)),
	}},
	{ago: 5*days + 1*hours, name: "backup-orders", steps: []step{
		incident(0, "Backup of orders is late", "orders: last good backup 26 h ago, expected every 24 h.", "", "ops", "backup"),
		update(2*hours, "orders: backup finished, 18.2 GB."), resolved(m(1)),
	}},
	{ago: 3 * days, name: "login-errors", steps: []step{
		incident(0, "Sign-in errors above 2 %", "auth: 3.1 % of sign-ins failed during the last 5 minutes.", "urgent", "ops", "auth"),
		set(m(2), "assignee", "sub:carol"), note(m(3), "The identity provider has an incident, see its status page."),
		update(m(35), "auth: 0.4 % failed."), resolved(m(15)),
	}},
	{ago: 30 * hours, name: "stock-sync", steps: []step{
		incident(0, "Stock is not synchronised", "The warehouse has not answered since 05:12.", "high", "ops", "warehouse"),
		update(m(40), "It answers again. 318 articles were updated."), resolved(m(3)),
	}},
	{ago: 13 * hours, name: "spam-contact", steps: []step{
		incident(0, "Contact form: unusual traffic", "412 messages from 9 addresses within an hour. They are held back.", "low", "security"),
		set(hours, "status", "archived"),
	}},
	{ago: 5 * hours, name: "cpu-search", steps: []step{
		incident(0, "search-2 is busy", "search-2: load 14 on 8 cores for 10 minutes.", "", "ops", "search"),
		update(m(25), "search-2: load 17. The index is being rebuilt since 08:40."), set(m(3), "assignee", "sub:bob", "status", "pending"),
	}},
	{ago: m(70), name: "payments-declined", steps: []step{
		incident(0, "More card payments declined than usual", "payments: 11 % declined, usually 4 %. Mostly one issuer.", "high", "ops", "payments"),
		set(m(4), "assignee", "sub:alice"), update(m(20), "payments: 9 % declined."),
	}},
	{ago: m(6), name: "api-latency", steps: []step{
		incident(0, "API latency is high", "api: p95 is 1.2 s in eu-central, the limit is 500 ms.", "high", "ops"),
	}},
}

// repositories is what happened at GitHub.
var repositories = []story{
	{ago: 17 * days, name: "gh-tilt", topic: topic{number: 18, kind: "issue", title: "Tilt sensor drifts when it is cold", by: "nils-k", labels: []string{"bug", "firmware"}}, steps: []step{
		hooks(0, "issues", "opened", "nils-k", "Below 5 °C the tilt angle drifts by about 2° a minute.\n\n- board rev C\n- firmware 1.8.0\n\nA restart helps for a while."),
		hooks(5*hours, "issue_comment", "created", "dana-w", "Can reproduce in the fridge 🧊. The bias is read once at start only."),
		hooks(2*days, "issues", "closed", "dana-w", ""), resolved(m(5)),
	}},
	{ago: 10 * days, name: "gh-retry", topic: topic{number: 27, kind: "pull_request", title: "Retry the upload of launch logs", by: "samir-b", labels: []string{"app"}, branch: "retry-upload"}, steps: []step{
		hooks(0, "pull_request", "opened", "samir-b", "Uploads are tried again with backoff when the phone has no network.\n\nFixes #21"),
		hooks(6*hours, "pull_request_review", "approved", "dana-w", "Nice and small. One question about the jitter, else good to go."),
		hooks(hours, "pull_request", "closed", "samir-b", ""), resolved(m(20)),
	}},
	{ago: 6 * days, name: "gh-crash", topic: topic{number: 31, kind: "issue", title: "App crashes when the launch log is opened", by: "tess-h", labels: []string{"bug", "app"}}, steps: []step{
		hooks(0, "issues", "opened", "tess-h", "Android 15, app 4.2.1:\n\n```\njava.lang.IllegalStateException: Already resumed\n  at dev.acme.log.LogFragment.onResume(LogFragment.kt:88)\n```"),
		hooks(3*hours, "issue_comment", "created", "samir-b", "Happens when the log has no launches. I am on it."),
		set(m(10), "priority", "high", "assignee", "sub:carol"),
		hooks(2*days, "issue_comment", "created", "samir-b", "Fixed in 4.2.2."),
	}},
	{ago: 4 * days, name: "gh-docs", topic: topic{number: 33, kind: "issue", title: "Manual: page 14 shows the old controller", by: "peer-mueller", labels: []string{"docs"}}, steps: []step{
		hooks(0, "issues", "opened", "peer-mueller", "The picture shows the controller with one button. Since 2025 there are two."),
		set(hours, "priority", "low"),
	}},
	{ago: 2*days + 3*hours, name: "gh-run-main", topic: topic{number: 812, kind: "workflow_run", title: "Read the bias again every minute", by: "dana-w", branch: "main"}, steps: []step{
		hooks(0, "workflow_run", "failure", "dana-w", ""), note(m(12), "Flaky: the simulator's port was taken. Started again."), resolved(m(30)),
	}},
	{ago: 33 * hours, name: "gh-ble", topic: topic{number: 36, kind: "issue", title: "Controller can't be paired with iOS 26", by: "kirsten-v", labels: []string{"bug", "app", "ios"}}, steps: []step{
		hooks(0, "issues", "opened", "kirsten-v", "Pairing stops at 80 %. Android works. Two people in our club have it too."),
		hooks(4*hours, "issue_comment", "created", "samir-b", "Could you attach the log? Settings → About → tap the version five times."),
		hooks(11*hours, "issue_comment", "created", "kirsten-v", "Sent by e-mail, it has names in it."),
		set(m(20), "assignee", "sub:bob"),
	}},
	{ago: 15 * hours, name: "gh-deps", topic: topic{number: 38, kind: "pull_request", title: "Bump gradle from 9.2 to 9.3", by: "renovate-acme", labels: []string{"dependencies"}, branch: "renovate/gradle-9.x"}, steps: []step{
		hooks(0, "pull_request", "opened", "renovate-acme", "| package | from | to |\n|---|---|---|\n| gradle | 9.2 | 9.3 |"),
		set(m(3), "status", "archived"),
	}},
	{ago: 7 * hours, name: "gh-altitude", topic: topic{number: 39, kind: "pull_request", title: "Show the altitude in feet for those who want it", by: "tess-h", labels: []string{"app"}, branch: "feet"}, steps: []step{
		hooks(0, "pull_request", "opened", "tess-h", "A switch under Settings → Units. Default stays metres."),
		hooks(2*hours, "pull_request_review", "changes_requested", "samir-b", "Please round to whole feet; \"302.4934 ft\" looks odd."),
	}},
	{ago: m(130), name: "gh-run-release", topic: topic{number: 818, kind: "workflow_run", title: "Release 4.2.2", by: "samir-b", branch: "main"}, steps: []step{
		hooks(0, "workflow_run", "success", "samir-b", ""),
	}},
	{ago: m(33), name: "gh-night", topic: topic{number: 41, kind: "issue", title: "Dark mode: countdown can't be read", by: "jorge-a", labels: []string{"bug", "ui"}}, steps: []step{
		hooks(0, "issues", "opened", "jorge-a", "Dark red on black. At night, of all times 😄"),
	}},
	{ago: m(14), name: "gh-run-ci", topic: topic{number: 820, kind: "workflow_run", title: "Round altitudes", by: "tess-h", branch: "main"}, steps: []step{
		hooks(0, "workflow_run", "failure", "tess-h", ""),
	}},
}
