package desk

// live is what goes on while somebody looks. Each story is told by [Live] in turn
// with two or three others.
var live = []story{
	{name: "live-nadia", person: person(41, "Nadia", "Benali", "nadiab", "fr"), steps: []step{
		says(0, "Hi! Is the launch site at the lake open this weekend?"),
		says(0, "And do I need to bring my own launch pad?"),
		set(0, "assignee", "sub:carol", "labels", labels("events")),
		reply(0, "Hi Nadia, yes: Saturday from 10 to 16 h, and pads are there for everyone."),
		says(0, "Lovely, see you there 🚀"), resolved(0),
	}},
	{name: "live-api", steps: []step{
		incident(0, "Error rate of the API is up", "api: 2.3 % of the calls failed during the last 5 minutes.", "high", "ops"),
		update(0, "api: 4.8 % failed. Most of them time out on orders-db."),
		note(0, "A migration holds a lock. Stopping it."),
		update(0, "api: 0.1 % failed."), resolved(0),
	}},
	{name: "live-ben", person: person(42, "Ben", "Carter", "bencarter", "en"), steps: []step{
		says(0, "Order 20811 says paid, but I got no confirmation mail"),
		set(0, "labels", labels("order", "mail")),
		reply(0, "Hi Ben, it went to an address that ends in gmial.com. Shall I correct that?"),
		says(0, "oh no 😂 yes please"), reply(0, "Done, and sent again."), resolved(0),
	}},
	{name: "live-gh", topic: topic{number: 61, kind: "issue", title: "Countdown can't be stopped from the watch", by: "mira-l", labels: []string{"bug", "watch"}}, steps: []step{
		hooks(0, "issues", "opened", "mira-l", "The stop button does nothing when the phone is locked. Watch 10, app 4.2.2."),
		hooks(0, "issue_comment", "created", "samir-b", "That is not good. Looking at it now."),
		set(0, "priority", "high"), hooks(0, "issues", "closed", "samir-b", ""),
	}},
	{name: "live-olga", person: person(43, "Olga", "Ivanova", "olgaiv", "ru"), steps: []step{
		says(0, "Hello, which glue do you recommend for the balsa fins?"),
		reply(0, "Hello Olga, plain wood glue, and leave it alone for an hour. Super glue gets brittle in the cold."),
		says(0, "Thank you!"), resolved(0),
	}},
	{name: "live-disk", steps: []step{
		incident(0, "Disk almost full on log-3", "log-3: /data is 91 % full.", "", "ops"),
		set(0, "assignee", "sub:bob"), update(0, "log-3: /data is 54 % full."), resolved(0),
	}},
	{name: "live-raj", person: person(44, "Raj", "Patel", "rajpatel", "en"), steps: []step{
		says(0, "Parachute came out too late and the nose cone broke. Can I buy just the cone?"),
		says(0, "It is the Comet 2, the blue one"),
		note(0, "Spare cones are free within the first year."),
		reply(0, "Sorry to hear that! It is on the house, send me your address and it is with you on Thursday."),
		says(0, "You are the best"), resolved(0),
	}},
	{name: "live-run", topic: topic{number: 870, kind: "workflow_run", title: "Stop the countdown when the phone is locked", by: "samir-b", branch: "main"}, steps: []step{
		hooks(0, "workflow_run", "success", "samir-b", ""), resolved(0),
	}},
	{name: "live-emma", person: person(45, "Emma", "de Vries", "emmadv", "nl"), steps: []step{
		says(0, "Hoi! Can I collect my order instead of having it sent?"),
		says(0, "I live around the corner"),
		set(0, "labels", labels("shipping")),
		reply(0, "Hoi Emma, sure, from 14 h at the back door. Bring the order number."), says(0, "Top, tot zo!"), resolved(0),
	}},
	{name: "live-pay", steps: []step{
		incident(0, "Payments are slow", "payments: p95 is 3.9 s. The bank's status page says: degraded.", "urgent", "ops", "payments"),
		set(0, "assignee", "sub:alice"), update(0, "payments: p95 is 900 ms."), resolved(0),
	}},
}
