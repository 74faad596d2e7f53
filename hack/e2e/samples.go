package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
)

// applySamples applies the folder of samples, and then exposes the instance to the
// public, which is what Telegram needs.
func (e *e2e) applySamples(ctx context.Context) error {
	if _, err := e.kube.kubectl(ctx, "apply", "--namespace", supportNamespace, "-k", filepath.Join(e.root, "config", "samples")); err != nil {
		return err
	}
	var err error
	if e.support, err = e.open(ctx, supportNamespace, "support", "support"); err != nil {
		return err
	}
	// Nobody can reach it yet from outside, and the binding says so.
	if err := e.bindingSays(ctx, "support-telegram", v1alpha1.ConditionWebhookRegistered, v1alpha1.ReasonNoPublicURL); err != nil {
		return err
	}
	if _, err := e.kube.kubectl(ctx, "patch", "socialopsinstance", "support", "--namespace", supportNamespace, "--type", "merge",
		"--patch", `{"spec":{"exposure":{"type":"Ingress"}}}`); err != nil {
		return err
	}
	if err := e.instanceReady(ctx, supportNamespace, "support"); err != nil {
		return err
	}
	e.supportPublic = inboxAt(e.dialer.client(e.authority.pool()), "https://"+publicHost, "support", e.support.key)
	in, err := e.getInstance(ctx, supportNamespace, "support")
	if err != nil {
		return err
	}
	if want := e.supportPublic.base; strings.TrimSuffix(in.Status.URL, "/") != want {
		return fmt.Errorf("status.url is %q; want %q", in.Status.URL, want)
	}
	for _, name := range []string{"support-events", "support-telegram", "support-github"} {
		if err := e.bindingReady(ctx, supportNamespace, name); err != nil {
			return err
		}
	}
	return await(ctx, 10*time.Second, "three channels to be counted", func(ctx context.Context) (string, error) {
		in, err := e.getInstance(ctx, supportNamespace, "support")
		if err != nil || in.Status.Channels == nil {
			return "none is counted", err
		}
		if *in.Status.Channels != 3 {
			return fmt.Sprintf("%d are counted", *in.Status.Channels), nil
		}
		return "", nil
	})
}

// bindingSays waits until a condition of a sample's binding has a reason.
func (e *e2e) bindingSays(ctx context.Context, name, kind, reason string) error {
	return await(ctx, 30*time.Second, fmt.Sprintf("%s of %s to say %s", kind, name, reason), func(ctx context.Context) (string, error) {
		var b v1alpha1.ChannelBinding
		if err := e.kube.Get(ctx, client.ObjectKey{Namespace: supportNamespace, Name: name}, &b); err != nil {
			return "", fmt.Errorf("reading the binding %s: %w", name, err)
		}
		if c := meta.FindStatusCondition(b.Status.Conditions, kind); c != nil && c.Reason == reason {
			return "", nil
		}
		return condition(b.Status.Conditions, kind), nil
	})
}

func (e *e2e) proveServiceCalls(ctx context.Context) error {
	return proveCalls(ctx, e.support, "service")
}

// proveIngressCalls makes the same calls through the ingress controller, over HTTPS,
// and has a person write to the Telegram bot and get an answer.
func (e *e2e) proveIngressCalls(ctx context.Context) error {
	if err := e.routed(ctx, e.supportPublic); err != nil {
		return err
	}
	if err := proveCalls(ctx, e.supportPublic, "ingress"); err != nil {
		return err
	}
	const person = 8001
	a, err := e.simulator.says(ctx, sampleBotToken, person, "Hello from Telegram")
	if err != nil {
		return err
	}
	if _, err := e.supportPublic.reply(ctx, a.ThreadID, "Hello from <b>support</b>", "first-telegram-reply"); err != nil {
		return err
	}
	// The first run of the CronJob may be a minute away.
	return await(ctx, 90*time.Second, "the reply to arrive at Telegram", func(ctx context.Context) (string, error) {
		sent, err := e.simulator.sent(ctx)
		for _, s := range sent {
			if s.ChatID == person && s.Text == "Hello from support" {
				return "", nil
			}
		}
		return fmt.Sprintf("%d other messages did", len(sent)), err
	})
}
