package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/rest"
)

const (
	testKeyFor = time.Minute
	// testTime bounds a test: runtimes read keys anew every five seconds at the latest,
	// so that a new one is refused for so long.
	testTime  = 20 * time.Second
	testPause = 500 * time.Millisecond
	testKnown = 8 * time.Second
	maxAnswer = 64 << 10
)

// TestResult is what an inbox answered to a test event.
type TestResult struct {
	StatusCode int `json:"status_code"`
	Answer     any `json:"answer" doc:"Its JSON, or its text when it was none."`
}

// newTestClient goes to the inbox itself and nowhere else: not over a proxy, not
// where an answer leads.
func newTestClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConns: 10, IdleConnTimeout: 10 * time.Second, ResponseHeaderTimeout: testTime, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *Server) testChannel(ctx context.Context, p *person, in *ChannelPath) (*rest.Reply[rest.Envelope[TestResult]], error) {
	b, err := p.binding(ctx, in.ChannelID)
	if err != nil {
		return nil, err
	}
	spec := &b.binding.Spec
	switch {
	case spec.Provider == v1alpha1.ProviderTelegram:
		return nil, inbox.Errorf(inbox.CodeUnprocessed, "only Telegram itself can send an event of a bot: write to the bot to test this channel")
	case s.WebhookBase == nil:
		return nil, inbox.Errorf(inbox.CodeUnprocessed, "this console does not know where the inbox is: send a test event to its webhook URL yourself")
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	now := s.now()
	value, key, err := project.MakeKey(project.NewKey{Name: "test event", Scopes: []string{inbox.ScopeWrite}, ExpiresAt: now.UTC().Add(testKeyFor)}, now)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	if err := p.desk.CreateKey(ctx, key, p.Actor()); err != nil {
		return nil, err //nolint:wrapcheck // says what to do
	}
	defer p.endTestKey(ctx, key.ID)
	event, err := sampleEvent(spec, p.name(), key.ID.UUID(), now)
	if err != nil {
		return nil, err
	}
	result, err := s.send(ctx, s.WebhookBase(p.in)+"/webhook/"+string(spec.Provider), value, event)
	if err != nil {
		return nil, &inbox.Error{Code: inbox.CodeUnavailable, Message: "the inbox could not be reached from here: its pods may be starting; try again, or send an event to its webhook URL", Err: err}
	}
	return rest.OK(result), nil
}

// endTestKey revokes a test's key. It ends by itself a minute later anyway.
func (p *person) endTestKey(ctx context.Context, id inbox.KeyID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTime)
	defer cancel()
	if _, err := p.desk.RevokeKey(ctx, id, p.Actor()); err != nil {
		p.s.log.WarnContext(ctx, "a test event's key could not be revoked; it expires within a minute", "alias", p.in.Alias, "key", id.String(), "error", err)
	}
}

// sample is an event as a provider would send it.
type sample struct {
	header http.Header
	body   []byte
}

// sampleEvent makes an event that the channel takes. id makes it one of a kind.
func sampleEvent(spec *v1alpha1.ChannelBindingSpec, who, id string, now time.Time) (sample, error) {
	text := "This is a test event that " + who + " sent from the console."
	out := sample{header: http.Header{}}
	var event any
	if spec.Provider == v1alpha1.ProviderGitHub {
		repository := spec.ExternalChannelID
		if repository == "" {
			repository = "socialops/test"
		}
		owner, name, _ := strings.Cut(repository, "/")
		number := now.Unix() % 1_000_000
		user := map[string]any{"login": "socialops-test", "id": 1, "type": "User"}
		event = map[string]any{
			"action": "opened",
			"issue": map[string]any{
				"id": now.UnixMicro(), "number": number, "title": "Test event", "body": text, "state": "open", "user": user, "labels": []any{},
				"created_at": now.UTC().Format(time.RFC3339), "updated_at": now.UTC().Format(time.RFC3339),
			},
			"repository": map[string]any{"id": 1, "name": name, "full_name": repository, "owner": map[string]any{"login": owner, "id": 1}},
			"sender":     user,
		}
		out.header.Set("X-GitHub-Event", "issues")
		out.header.Set("X-GitHub-Delivery", id)
	} else {
		generic := map[string]any{
			"event_id": "test-" + id, "thread_id": "test-" + id, "title": "Test event", "text": text,
			"user": map[string]any{"id": "console-test", "name": "Test event"}, "labels": []string{"test"},
		}
		if spec.ExternalChannelID != "" {
			generic["source"] = spec.ExternalChannelID
		}
		event = generic
	}
	var err error
	out.body, err = json.Marshal(event)
	return out, err
}

// send posts an event until the runtime knows the key.
func (s *Server) send(ctx context.Context, address, key string, event sample) (TestResult, error) {
	known := time.Now().Add(testKnown)
	for {
		result, err := s.post(ctx, address, key, event)
		if err != nil || result.StatusCode != http.StatusUnauthorized || time.Now().After(known) {
			return result, err
		}
		select {
		case <-time.After(testPause):
		case <-ctx.Done():
			return result, ctx.Err()
		}
	}
}

func (s *Server) post(ctx context.Context, address, key string, event sample) (TestResult, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(event.body))
	if err != nil {
		return TestResult{}, errors.New("the inbox's address is none") // its own words might repeat the address
	}
	r.Header = event.header.Clone()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Api-Key", key)
	resp, err := s.client.Do(r)
	if err != nil {
		return TestResult{}, err
	}
	defer func() { _ = resp.Body.Close() }() // read as far as it is shown
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return TestResult{}, err
	}
	out := TestResult{StatusCode: resp.StatusCode, Answer: strings.ToValidUTF8(string(body), "\uFFFD")}
	var value any
	if json.Unmarshal(body, &value) == nil {
		out.Answer = value
	}
	return out, nil
}
