package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
)

// goneLimit is how long a deleted instance or namespace may take to go.
const goneLimit = time.Minute

// proveDeletion deletes instances of both policies, and a namespace with everything in it.
func (e *e2e) proveDeletion(ctx context.Context) error {
	return e.together(ctx,
		step{"deletion: Retain keeps the data", e.proveRetain},
		step{"deletion: Delete removes the data", e.proveDelete},
		step{"deletion: a namespace with everything in it", e.proveNamespace},
	)
}

// fill applies an instance and sends it an event.
func (e *e2e) fill(ctx context.Context, namespace, name, alias, more string) (*inbox, accepted, error) {
	if err := e.kube.apply(ctx, namespace, instance(name, alias, more)); err != nil {
		return nil, accepted{}, err
	}
	in, err := e.open(ctx, namespace, name, alias)
	if err != nil {
		return nil, accepted{}, err
	}
	var a accepted
	err = in.ask(ctx, http.StatusAccepted, http.MethodPost, "/webhook/generic-webhook", event{EventID: alias, ThreadID: alias, Text: "Keep me"}, &a)
	return in, a, err
}

func (e *e2e) deleteInstance(ctx context.Context, namespace, name string) error {
	in := &v1alpha1.SocialOpsInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := e.kube.Delete(ctx, in); err != nil {
		return fmt.Errorf("deleting the instance %s/%s: %w", namespace, name, err)
	}
	return e.kube.gone(ctx, in, goneLimit)
}

// proveRetain deletes an instance whose data stays: nobody else gets its alias, the
// same manifest finds its data again, and an admin may release it for others.
func (e *e2e) proveRetain(ctx context.Context) error {
	const here, there = "retain", "retain-others"
	if err := errors.Join(e.kube.namespace(ctx, here), e.kube.namespace(ctx, there)); err != nil {
		return err
	}
	_, before, err := e.fill(ctx, here, "kept", "kept", "")
	if err != nil {
		return err
	}
	if err := e.deleteInstance(ctx, here, "kept"); err != nil {
		return err
	}
	if err := e.noObjects(ctx, here); err != nil {
		return err
	}
	if err := e.kube.apply(ctx, there, instance("kept", "kept", "")); err != nil {
		return err
	}
	if err := e.instanceReason(ctx, there, "kept", v1alpha1.ConditionStalled, v1alpha1.ReasonAliasTaken, v1alpha1.ReasonAliasRetained); err != nil {
		return err
	}

	// Back again, and everything is there.
	if err := e.kube.apply(ctx, here, instance("kept", "kept", "")); err != nil {
		return err
	}
	in, err := e.open(ctx, here, "kept", "kept")
	if err != nil {
		return err
	}
	messages, err := in.messages(ctx, before.ThreadID)
	if err != nil {
		return fmt.Errorf("looking for what was retained: %w", err)
	}
	if len(messages) != 1 || messages[0].ID != before.MessageID {
		return fmt.Errorf("the retained thread holds %+v; want the message %s", messages, before.MessageID)
	}

	// Released, it is the other one's, with its data: that is what an admin releases.
	if err := e.deleteInstance(ctx, here, "kept"); err != nil {
		return err
	}
	if _, err := e.kube.kubectl(ctx, "exec", "--namespace", systemNamespace, "deployment/socialops-operator", "--", "/socialops", "instance", "release", "kept"); err != nil {
		return err
	}
	other, err := e.open(ctx, there, "kept", "kept")
	if err != nil {
		return err
	}
	threads, err := other.threads(ctx)
	if err == nil && (len(threads) != 1 || threads[0].ID != before.ThreadID) {
		err = fmt.Errorf("the released alias's new holder finds %+v; want the thread %s", threads, before.ThreadID)
	}
	return err
}

// noObjects waits until a deleted instance's pods and Services are gone from a namespace.
func (e *e2e) noObjects(ctx context.Context, namespace string) error {
	return await(ctx, goneLimit, "the instance's objects to be gone", func(ctx context.Context) (string, error) {
		return e.kube.kubectl(ctx, "get", "deployments,services,secrets,networkpolicies,pods", "--namespace", namespace,
			"--selector", v1alpha1.LabelInstance, "--output", "name")
	})
}

// proveDelete deletes an instance whose data goes with it: no row and no role of it is
// left but its ledger, and the alias is free for others.
func (e *e2e) proveDelete(ctx context.Context) error {
	const here, there = "delete", "delete-others"
	if err := errors.Join(e.kube.namespace(ctx, here), e.kube.namespace(ctx, there)); err != nil {
		return err
	}
	in, _, err := e.fill(ctx, here, "gone", "gone", "\n  deletionPolicy: Delete\n")
	if err != nil {
		return err
	}
	var usage struct {
		Data struct {
			Entries map[string]struct {
				Count int `json:"count"`
			} `json:"entries"`
		} `json:"data"`
	}
	if err := in.ask(ctx, http.StatusOK, http.MethodGet, "/usage", nil, &usage); err != nil {
		return err
	}
	if usage.Data.Entries["inbound"].Count != 1 {
		return fmt.Errorf("usage tells of %d inbound entries; want 1", usage.Data.Entries["inbound"].Count)
	}
	row, err := e.sql(ctx, "socialops", "SELECT id, role_name FROM instance JOIN instance_role ON instance_id = id WHERE alias = 'gone';")
	if err != nil {
		return err
	}
	id, role, _ := strings.Cut(row, "|")
	if err := e.deleteInstance(ctx, here, "gone"); err != nil {
		return err
	}
	const want = "0\n0\n0\n1" // its one inbound event stays in the ledger
	err = await(ctx, goneLimit, "the rows and the role of a deleted instance to be gone", func(ctx context.Context) (string, error) {
		left, err := e.sql(ctx, "socialops", fmt.Sprintf("SELECT count(*) FROM message WHERE instance_id = '%[1]s'; SELECT count(*) FROM thread WHERE instance_id = '%[1]s';"+
			" SELECT count(*) FROM pg_roles WHERE rolname = '%[2]s'; SELECT count(*) FROM ledger WHERE instance_id = '%[1]s';", id, role))
		if err == nil && left == want {
			return "", nil
		}
		return fmt.Sprintf("messages, threads, roles and ledger entries left: %q; want %q", left, want), err
	})
	if err != nil {
		return err
	}
	other, _, err := e.fill(ctx, there, "gone", "gone", "")
	if err != nil {
		return err
	}
	threads, err := other.threads(ctx)
	if err == nil && len(threads) != 1 {
		err = fmt.Errorf("the alias's new holder finds %d threads; want its own one", len(threads))
	}
	return err
}

// proveNamespace deletes a namespace that holds an instance with a finalizer, a Telegram
// bot whose webhook has to be removed, and all that belongs to them.
func (e *e2e) proveNamespace(ctx context.Context) error {
	const namespace, token = "ending", "777:e2e-ending-bot"
	if err := e.kube.namespace(ctx, namespace); err != nil {
		return err
	}
	if err := e.bot(ctx, namespace, "ending", token); err != nil {
		return err
	}
	if url, err := e.simulator.webhook(ctx, token); err != nil || url == "" {
		return fmt.Errorf("the bot's webhook is %q; want one: %w", url, err)
	}
	begun := time.Now()
	if err := e.kube.deleteNamespace(ctx, namespace, goneLimit+30*time.Second); err != nil {
		return err
	}
	e.say("deletion: the namespace was gone after %.1f s", time.Since(begun).Seconds())
	url, err := e.simulator.webhook(ctx, token)
	if err == nil && url != "" {
		err = fmt.Errorf("the webhook of a bot whose namespace is gone still leads to %s", url)
	}
	return err
}

// bot applies an exposed instance that is served by a bot of its own, and waits until
// its webhook is registered.
func (e *e2e) bot(ctx context.Context, namespace, name, token string) error {
	manifest := instance(name, name, "\n  deletionPolicy: Delete\n  exposure: {type: Ingress}\n") + fmt.Sprintf(`---
apiVersion: v1
kind: Secret
metadata:
  name: %[1]s-bot
  labels: {socialops.dev/connected-account: telegram-bot}
  annotations: {socialops.dev/owner: alice}
stringData: {token: %[2]q}
---
apiVersion: socialops.dev/v1alpha1
kind: ChannelBinding
metadata: {name: %[1]s-telegram}
spec:
  instanceRef: {name: %[1]s}
  provider: telegram
  connectedAccountRef: {name: %[1]s-bot}
  channelName: Telegram
`, name, token)
	if err := e.kube.apply(ctx, namespace, manifest); err != nil {
		return err
	}
	if err := e.instanceReady(ctx, namespace, name); err != nil {
		return err
	}
	return e.bindingReady(ctx, namespace, name+"-telegram")
}
