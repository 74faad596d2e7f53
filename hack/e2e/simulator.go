package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// simulator is Telegram: the bundled simulator as a pod, over HTTPS with a
// certificate of the run's own authority.
type simulator struct {
	http *http.Client
	url  string
}

const (
	simulatorNamespace = "telegram"
	simulatorHost      = "simulator.telegram.svc"
	// sampleBotToken is of the bot in config/samples/accounts.yaml, which only the simulator knows.
	sampleBotToken = "123456:SIMULATOR-not-a-real-bot-token-0000"
)

// startSimulator runs the simulator. The hosts lead from its pod to the ingress
// controller, as public DNS would.
func (e *e2e) startSimulator(ctx context.Context) error {
	cert, err := e.authority.issue(time.Now(), simulatorHost)
	if err != nil {
		return err
	}
	if err := e.kube.secret(ctx, simulatorNamespace, "simulator-tls", cert); err != nil {
		return err
	}
	ingress, err := e.clusterIP(ctx, traefikService)
	if err != nil {
		return err
	}
	manifest, err := readManifest(filepath.Join(e.manifests, "simulator.yaml"), map[string]string{
		"IMAGE": e.images.product, "INGRESS": ingress, "HOST": publicHost,
	})
	if err != nil {
		return err
	}
	if err := e.kube.apply(ctx, simulatorNamespace, manifest); err != nil {
		return err
	}
	e.simulator = &simulator{http: e.dialer.client(e.authority.pool()), url: "https://" + simulatorHost}
	return e.kube.rollout(ctx, simulatorNamespace, "simulator", startLimit)
}

// call talks to the simulator's own interface.
func (s *simulator) call(ctx context.Context, method, path string, body, v any) error {
	var in bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&in).Encode(body); err != nil {
			return fmt.Errorf("encoding for the simulator: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, &in)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the simulator: %s %s: %s", method, path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("reading the simulator's answer: %w", err)
	}
	return nil
}

// says has a person write to a bot, and returns what the bot's webhook answered.
func (s *simulator) says(ctx context.Context, token string, person int64, text string) (accepted, error) {
	var got struct {
		Status int    `json:"status"`
		Answer string `json:"answer"`
	}
	err := s.call(ctx, http.MethodPost, "/sim/says", map[string]any{
		"token": token, "text": text, "from": map[string]any{"id": person, "first_name": "Person " + strconv.FormatInt(person, 10)},
	}, &got)
	if err != nil {
		return accepted{}, err
	}
	var a accepted
	if err := json.Unmarshal([]byte(got.Answer), &a); err != nil || got.Status/100 != 2 {
		return a, fmt.Errorf("the webhook answered a Telegram update with %d %s", got.Status, got.Answer)
	}
	return a, nil
}

// sent lists what the bots sent, with the time of its arrival.
func (s *simulator) sent(ctx context.Context) ([]botapisim.Sent, error) {
	var sent []botapisim.Sent
	err := s.call(ctx, http.MethodGet, "/sim/sent", nil, &sent)
	return sent, err
}

// webhook is where a bot's updates go, as Telegram tells it.
func (s *simulator) webhook(ctx context.Context, token string) (string, error) {
	var info struct {
		Result struct {
			URL string `json:"url"`
		} `json:"result"`
	}
	err := s.call(ctx, http.MethodPost, "/bot"+token+"/getWebhookInfo", nil, &info)
	return info.Result.URL, err
}
