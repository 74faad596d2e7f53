package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// proveCalls makes the calls of the specification, word for word, and looks at each
// answer. The run tells apart the events of several uses.
func proveCalls(ctx context.Context, i *inbox, run string) error {
	incident := event{
		EventID: "evt_1001_" + run, ThreadID: "incident_42_" + run, Title: "Incident opened", Text: "API latency is high",
		User: map[string]any{"id": "monitor"}, Labels: []string{"ops", "urgent"},
	}
	var first, again accepted
	if err := i.ask(ctx, http.StatusAccepted, http.MethodPost, "/webhook/generic-webhook", incident, &first); err != nil {
		return err
	}
	if first.Status != "accepted" || first.Provider != "generic-webhook" || !strings.HasPrefix(first.ThreadID, "soth_") || !strings.HasPrefix(first.MessageID, "somsg_") {
		return fmt.Errorf("the event was answered %+v", first)
	}
	if err := i.ask(ctx, http.StatusOK, http.MethodPost, "/webhook/generic-webhook", incident, &again); err != nil {
		return err
	}
	if again.Status != "duplicate" || again.ThreadID != first.ThreadID || again.MessageID != first.MessageID {
		return fmt.Errorf("the repeat was answered %+v; want duplicate, with the ids of %+v", again, first)
	}
	return errors.Join(
		proveLists(ctx, i, first.ThreadID, "incident_42_"+run),
		proveReply(ctx, i, first.ThreadID, run),
		proveRefusals(ctx, i),
	)
}

// proveLists looks for the thread where it must be, and for its external id, which
// must not be shown.
func proveLists(ctx context.Context, i *inbox, threadID, externalID string) error {
	for _, path := range []string{"/inbox?status=open&limit=50", "/inbox?q=incident&provider=generic-webhook", "/threads?limit=100", "/threads?label=urgent&page=1"} {
		a, err := i.call(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK || !strings.Contains(string(a.body), threadID) {
			return fmt.Errorf("GET %s: answered %s; want 200 and %s in it", path, a, threadID)
		}
		if strings.Contains(string(a.body), externalID) {
			return fmt.Errorf("GET %s shows the external thread id %s", path, externalID)
		}
	}
	messages, err := i.messages(ctx, threadID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(messages, func(m message) bool { return m.Direction == "inbound" && m.Text == "API latency is high" }) {
		return fmt.Errorf("the event's text is not among the messages of %s: %+v", threadID, messages)
	}
	// The documented filter takes every priority that there is.
	return i.ask(ctx, http.StatusOK, http.MethodGet, "/inbox?status=open&priority=high&limit=50", nil, nil)
}

func proveReply(ctx context.Context, i *inbox, threadID, run string) error {
	a, err := i.reply(ctx, threadID, "Thanks, we are checking this now.", "reply-"+run)
	if err != nil {
		return err
	}
	var reply struct {
		Success bool `json:"success"`
		Data    struct {
			Message message `json:"message"`
			Action  struct {
				ActionType string `json:"action_type"`
				Status     string `json:"status"`
			} `json:"action"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.body, &reply); err != nil || a.status != http.StatusCreated {
		return fmt.Errorf("the reply was answered %s; want 201", a)
	}
	m, action := reply.Data.Message, reply.Data.Action
	if !reply.Success || m.Direction != "outbound" || m.MessageType != "text" || m.Text != "Thanks, we are checking this now." ||
		action.ActionType != "send_reply" || action.Status != "pending" {
		return fmt.Errorf("the reply was answered %s", a)
	}
	return i.ask(ctx, http.StatusCreated, http.MethodPost, "/threads/"+threadID+"/notes",
		map[string]string{"text": "Checked provider dashboard and assigned to ops."}, nil)
}

func proveRefusals(ctx context.Context, i *inbox) error {
	anonymous, stranger := *i, *i
	anonymous.key, stranger.key = "", "sk_unknown"
	return errors.Join(
		anonymous.ask(ctx, http.StatusUnauthorized, http.MethodGet, "/inbox", nil, nil),
		stranger.ask(ctx, http.StatusUnauthorized, http.MethodGet, "/inbox", nil, nil),
		anonymous.ask(ctx, http.StatusOK, http.MethodGet, "/openapi.json", nil, nil),
		i.ask(ctx, http.StatusNotFound, http.MethodGet, "/threads/soth_01kc0w3v2pf0bvd9m4v9wq7x5e/messages", nil, nil),
		i.ask(ctx, http.StatusNotFound, http.MethodPost, "/webhook/slack", event{Text: "x"}, nil),
	)
}
