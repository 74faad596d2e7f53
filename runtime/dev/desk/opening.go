package desk

// Call is one of the console's, below the inbox.
type Call struct {
	Path string
	Body map[string]any
}

// Opening is what the owner set up before the first conversation.
func Opening() []Call {
	calls := []Call{{"/credits", map[string]any{"amount_usd": "25", "reference": "demo"}}}
	for _, c := range [][2]string{
		{"Greeting", "Hello, and thank you for writing to Acme Rockets! How can I help?"},
		{"Ask for the order number", "Could you send me the number of your order? It begins with 20 and is in the confirmation mail."},
		{"Refund is on its way", "Your refund is on its way. Depending on your bank it takes two to five working days."},
		{"Engines by air", "We ship kits to every country, but engines can't go by air: airlines don't take them."},
		{"Igniter recall", "Please don't use igniters of the bags IG-7720 to IG-7739. New ones are on the way to you, free of charge."},
		{"Closed at the weekend", "We are at the launch site at the weekend and answer again on Monday. Good flights!"},
	} {
		calls = append(calls, Call{"/canned", map[string]any{"name": c[0], "text": c[1]}})
	}
	return append(calls,
		Call{"/views", map[string]any{"name": "Operations", "query": "label=ops", "shared": true}},
		Call{"/views", map[string]any{"name": "Shipping", "query": "label=shipping&status=open,pending,resolved", "shared": true}},
	)
}
