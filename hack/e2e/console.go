package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

const (
	consoleName   = "socialops-console"
	consoleOrigin = "http://" + consoleName + "." + systemNamespace + ".svc"
	consoleHost   = "console.example.test" // through the ingress controller
	consoleAPI    = "/console/socialops"

	deskNamespace = "desk"
)

// permissions of who works in the console.
var agent = []string{"service:read", "service:manage"}

// desk is an inbox as its owner and others see it in the console.
type desk struct {
	*e2e
	owner  *inbox // of the alias, in the console
	native *inbox // the same by its own API
	thread string
}

// console is its API as a person has it, below a path.
func (e *e2e) console(token, path string) *inbox {
	return &inbox{http: e.dialer.client(e.authority.pool()), base: consoleOrigin + consoleAPI + path, token: token}
}

// proveConsole has people work in the console: the page is served, each sees their own
// inboxes only, what they bind is a manifest that becomes a channel, and the trail
// names them. Then its pods are replaced under their hands, and its login.
func (e *e2e) proveConsole(ctx context.Context) error {
	if err := e.kube.rollout(ctx, systemNamespace, consoleName, startLimit); err != nil {
		return err
	}
	e.dialer.alias(consoleHost, traefikService)
	d, err := e.openDesk(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(d.provePage(ctx), d.proveOwnership(ctx)); err != nil {
		return err
	}
	if err := d.proveChannels(ctx); err != nil {
		return err
	}
	if err := d.proveReplacement(ctx); err != nil {
		return err
	}
	return d.proveNewLogin(ctx)
}

// openDesk makes an inbox for each of two people.
func (e *e2e) openDesk(ctx context.Context) (*desk, error) {
	if err := e.kube.namespace(ctx, deskNamespace); err != nil {
		return nil, err
	}
	for name, owner := range map[string]string{"desk": "dora", "other-desk": "otto"} {
		if err := e.kube.apply(ctx, deskNamespace, strings.Replace(instance(name, name, ""), "owner: alice", "owner: "+owner, 1)); err != nil {
			return nil, err
		}
	}
	dora, err := e.token(ctx, "dora", agent, nil)
	if err != nil {
		return nil, err
	}
	d := &desk{e2e: e, owner: e.console(dora, "/desk")}
	if d.native, err = e.open(ctx, deskNamespace, "desk", "desk"); err != nil {
		return nil, err
	}
	var first accepted
	err = d.native.ask(ctx, http.StatusAccepted, http.MethodPost, "/webhook/generic-webhook", event{EventID: "desk", ThreadID: "desk", Text: "Is anybody there?"}, &first)
	d.thread = first.ThreadID
	return d, errors.Join(err, e.instanceReady(ctx, deskNamespace, "other-desk"))
}

var script = regexp.MustCompile(`<script[^>]* src="(/assets/[^"]+\.js)"`)

// provePage asks for the page as a browser does, inside the cluster and from outside.
func (d *desk) provePage(ctx context.Context) error {
	for _, origin := range []string{consoleOrigin, "https://" + consoleHost} {
		browser := &inbox{http: d.owner.http, base: origin}
		if err := await(ctx, startLimit, origin+" to lead to the console", func(ctx context.Context) (string, error) {
			a, err := browser.call(ctx, http.MethodGet, consoleAPI+"/config", nil)
			if err != nil || a.status == http.StatusOK {
				return "", err
			}
			return "it answers " + a.String(), nil
		}); err != nil {
			return err
		}
		page, err := browser.call(ctx, http.MethodGet, "/a/desk?status=open", nil, "Accept", "text/html")
		if err != nil {
			return err
		}
		text := string(page.body)
		policy := page.header.Get("Content-Security-Policy")
		found := script.FindStringSubmatch(text)
		switch {
		case page.status != http.StatusOK || found == nil:
			return fmt.Errorf("%s: the page is %s", origin, page)
		case !strings.Contains(text, `"issuer":"`+issuerURL+`"`):
			return fmt.Errorf("%s: the page does not know who signs people in: %s", origin, text)
		case !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "script-src 'self' 'sha256-") || !strings.Contains(policy, "connect-src 'self' "+issuerURL+";"):
			return fmt.Errorf("%s: the page's policy is %q", origin, policy)
		}
		js, err := browser.call(ctx, http.MethodGet, found[1], nil)
		if err != nil {
			return err
		}
		if js.status != http.StatusOK || !strings.Contains(js.header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(js.header.Get("Content-Type"), "text/javascript") {
			return fmt.Errorf("%s%s: answered %d with %v", origin, found[1], js.status, js.header)
		}
	}
	return nil
}

// proveOwnership has others look for what is not theirs.
func (d *desk) proveOwnership(ctx context.Context) error {
	tokens := map[string]string{"nobody": ""}
	for who, t := range map[string]struct {
		subject     string
		permissions []string
		claims      map[string]any
	}{
		"dora": {"dora", agent, nil}, "otto": {"otto", agent, nil}, "reader": {"dora", agent[:1], nil}, "stranger": {"dora", nil, nil},
		"other audience": {"dora", agent, map[string]any{"aud": "another"}}, "other issuer": {"dora", agent, map[string]any{"iss": "https://login.example.com"}},
	} {
		var err error
		if tokens[who], err = d.token(ctx, t.subject, t.permissions, t.claims); err != nil {
			return err
		}
	}
	for who, want := range map[string][]string{"dora": {"desk"}, "otto": {"other-desk"}} {
		var list struct {
			Data []struct {
				Alias string `json:"alias"`
			} `json:"data"`
		}
		if err := d.console(tokens[who], "").ask(ctx, http.StatusOK, http.MethodGet, "/instances", nil, &list); err != nil {
			return err
		}
		var got []string
		for _, in := range list.Data {
			got = append(got, in.Alias)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%s sees %v; want %v", who, got, want)
		}
	}
	channel := map[string]string{"provider": "generic-webhook", "channel_name": "Not yours"}
	for _, c := range []struct {
		who, method, path string
		body              any
		status            int
	}{
		{"dora", http.MethodGet, "/desk/inbox", nil, http.StatusOK},
		{"reader", http.MethodGet, "/desk/inbox", nil, http.StatusOK},
		{"reader", http.MethodPost, "/desk/channels", channel, http.StatusForbidden},
		{"stranger", http.MethodGet, "/desk/inbox", nil, http.StatusForbidden},
		{"nobody", http.MethodGet, "/desk/inbox", nil, http.StatusUnauthorized},
		{"other audience", http.MethodGet, "/desk/inbox", nil, http.StatusUnauthorized},
		{"other issuer", http.MethodGet, "/desk/inbox", nil, http.StatusUnauthorized},
		{"otto", http.MethodGet, "/desk/inbox", nil, http.StatusNotFound},
		{"otto", http.MethodGet, "/desk/threads/" + d.thread + "/messages", nil, http.StatusNotFound},
		{"otto", http.MethodGet, "/desk/audit", nil, http.StatusNotFound},
		{"otto", http.MethodPost, "/desk/channels", channel, http.StatusNotFound},
		{"otto", http.MethodGet, "/other-desk/threads/" + d.thread, nil, http.StatusNotFound}, // nor by way of their own
		{"otto", http.MethodGet, "/no-such-desk/inbox", nil, http.StatusNotFound},
	} {
		if err := d.console(tokens[c.who], "").ask(ctx, c.status, c.method, c.path, c.body, nil); err != nil {
			return fmt.Errorf("as %s: %w", c.who, err)
		}
	}
	return nil
}

// channel is the part of a channel that is looked at here.
type channel struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // its manifest's
	Status string `json:"status"`
	Health string `json:"health"`
}

// proveChannels binds a channel in the console, tests it, and switches it off.
func (d *desk) proveChannels(ctx context.Context) error {
	var made struct {
		Data channel `json:"data"`
	}
	err := d.owner.ask(ctx, http.StatusCreated, http.MethodPost, "/channels", map[string]string{
		"provider": "generic-webhook", "channel_name": "Shop", "external_channel_id": "shop",
	}, &made)
	if err != nil {
		return err
	}
	shop := made.Data
	if err := d.bindingReady(ctx, deskNamespace, shop.Name); err != nil {
		return err
	}
	if err := d.manifest(ctx, shop.Name, func(b *v1alpha1.ChannelBinding) bool {
		return b.Annotations[v1alpha1.AnnotationChangedBy] == "dora" && b.Spec.InstanceRef.Name == "desk" && b.Spec.ExternalChannelID == "shop" && b.Status.ChannelID == shop.ID
	}); err != nil {
		return err
	}
	if err := d.channelIs(ctx, channel{shop.ID, shop.Name, "active", "ok"}); err != nil {
		return err
	}
	// By the runtime's Service, as a stranger with a key.
	var test struct {
		Data struct {
			StatusCode int      `json:"status_code"`
			Answer     accepted `json:"answer"`
		} `json:"data"`
	}
	if err := d.owner.ask(ctx, http.StatusOK, http.MethodPost, "/channels/"+shop.ID+"/test", nil, &test); err != nil {
		return err
	}
	if test.Data.StatusCode != http.StatusAccepted || test.Data.Answer.ThreadID == "" {
		return fmt.Errorf("the channel's test event was answered %+v", test.Data)
	}
	if err := d.native.ask(ctx, http.StatusOK, http.MethodGet, "/threads/"+test.Data.Answer.ThreadID, nil, nil); err != nil {
		return fmt.Errorf("the test event's thread: %w", err)
	}
	if err := d.owner.ask(ctx, http.StatusOK, http.MethodPatch, "/channels/"+shop.ID, map[string]string{"status": "inactive"}, nil); err != nil {
		return err
	}
	if err := d.manifest(ctx, shop.Name, func(b *v1alpha1.ChannelBinding) bool { return !b.Spec.IsActive() }); err != nil {
		return err
	}
	if err := d.channelIs(ctx, channel{shop.ID, shop.Name, "inactive", "off"}); err != nil {
		return err
	}
	return d.trailNames(ctx, shop.ID, "channel.created", "channel.updated")
}

// manifest reads a binding, of which something must hold.
func (d *desk) manifest(ctx context.Context, name string, holds func(*v1alpha1.ChannelBinding) bool) error {
	var b v1alpha1.ChannelBinding
	if err := d.kube.Get(ctx, client.ObjectKey{Namespace: deskNamespace, Name: name}, &b); err != nil {
		return fmt.Errorf("reading the manifest that the console wrote: %w", err)
	}
	if !holds(&b) {
		return fmt.Errorf("the manifest that the console wrote is %+v", b)
	}
	return nil
}

// channelIs waits until the console shows a channel so.
func (d *desk) channelIs(ctx context.Context, want channel) error {
	return await(ctx, healLimit, fmt.Sprintf("the console to show %+v", want), func(ctx context.Context) (string, error) {
		var list struct {
			Data []channel `json:"data"`
		}
		if err := d.owner.ask(ctx, http.StatusOK, http.MethodGet, "/channels", nil, &list); err != nil {
			return "", err
		}
		if !slices.Contains(list.Data, want) {
			return fmt.Sprintf("it shows %+v", list.Data), nil
		}
		return "", nil
	})
}

// trailNames looks for what dora did with a channel in the audit trail.
func (d *desk) trailNames(ctx context.Context, channelID string, types ...string) error {
	var trail struct {
		Data []struct {
			Type      string `json:"type"`
			ActorName string `json:"actor_name"`
			ChannelID string `json:"channel_id"`
		} `json:"data"`
	}
	if err := d.owner.ask(ctx, http.StatusOK, http.MethodGet, "/audit?people=true&limit=100", nil, &trail); err != nil {
		return err
	}
	for _, kind := range types {
		found := false
		for _, entry := range trail.Data {
			found = found || entry.Type == kind && entry.ChannelID == channelID && entry.ActorName == "dora"
		}
		if !found {
			return fmt.Errorf("the audit trail has no %s of the channel %s by dora: %+v", kind, channelID, trail.Data)
		}
	}
	return nil
}
