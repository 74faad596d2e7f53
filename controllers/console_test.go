package controllers

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime"
	"github.com/open4x/socialops/runtime/console/identity/oidcsim"
	"github.com/open4x/socialops/runtime/console/kube"
	"github.com/open4x/socialops/runtime/provider/all"
)

// served tells where the console serves, as its log says.
type served chan string

func (s served) Write(p []byte) (int, error) {
	var line struct{ Msg, Address string }
	if err := json.Unmarshal(p, &line); err != nil {
		return 0, err
	}
	if line.Msg == "serving" {
		s <- "http://" + line.Address + "/console/socialops"
	}
	return len(p), nil
}

// people ask a console.
type people struct {
	t      *testing.T
	base   string
	issuer *oidcsim.Issuer
}

// startConsole runs the console as the chart does: with the login that the operator
// made, as a ServiceAccount that may look after channels.
func startConsole(t *testing.T, m *messenger) *people {
	t.Helper()
	secret := kubetest.Await(t, m.Env, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: m.options.ConsoleSecret}}, "is there",
		func(s *corev1.Secret) bool { return len(s.Data) > 0 })
	user := kubetest.ServiceAccount(m.Namespace, "console")
	config, err := m.User(user)
	if err != nil {
		t.Fatal(err)
	}
	m.Grant(t, user, []rbacv1.PolicyRule{{
		APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"channelbindings"}, Verbs: []string{"get", "list", "create", "patch"},
	}}, m.Namespace)
	bindings, err := kube.New(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &people{t: t, issuer: oidcsim.New(oidcsim.Options{Audience: "socialops"})}
	issuer := httptest.NewServer(p.issuer)
	t.Cleanup(issuer.Close)
	p.issuer.SetURL(issuer.URL)
	at := make(served, 1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- runtime.ServeConsole(ctx, runtime.ConsoleConfig{
			DatabaseURL: func() (string, error) { return string(secret.Data[keyPartURL]), nil }, Install: [16]byte(secret.Data[keyInstallID]), Bindings: bindings,
			Providers: all.Providers(all.Options{}), Listen: "127.0.0.1:0", Issuer: issuer.URL, Audience: "socialops", PermissionsClaim: "permissions", ClientID: "console",
			RuntimeURL: runtime.DefaultRuntimeURL, Version: "test", Log: slog.New(slog.NewJSONHandler(at, nil)),
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case p.base = <-at:
	case <-time.After(kubetest.Patience):
		t.Fatal("the console never served")
	}
	return p
}

// ask has somebody make a call, which must be answered with the status.
func (p *people) ask(who string, status int, method, path, body string, into any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := p.issuer.Sign(p.issuer.Claims(who, "service:read", "service:manage"), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		p.t.Fatalf("%s %s as %s: %d instead of %d: %s %v", method, path, who, resp.StatusCode, status, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, &struct{ Data any }{into}); err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
}

// A channel that a person binds in the console is a manifest, which the operator looks
// after; the console shows what became of it, and the trail names the person.
func TestTheConsoleBeside(t *testing.T) {
	t.Parallel()
	m := newMessenger(t, func(o *Options) { o.ConsoleSecret = "the-console" })
	m.start()
	m.create(m.exposed("a"), m.bot("bot", 1), m.instance("b", func(in *v1alpha1.SocialOpsInstance) { in.Spec.Owner = "otto" }))
	m.await("a", "DatabaseReady=True/DatabaseReady")
	m.await("b", "DatabaseReady=True/DatabaseReady")
	p := startConsole(t, m)
	alias := "/" + m.alias("a")

	var instances []struct{ Alias string }
	p.ask("alice", http.StatusOK, http.MethodGet, "/instances", "", &instances)
	if len(instances) != 1 || instances[0].Alias != m.alias("a") {
		t.Fatalf("alice sees %v", instances)
	}
	type account struct{ ID, Name, Status string }
	var accounts []account
	m.eventually("the bot is proven", func() bool {
		accounts = nil
		p.ask("alice", http.StatusOK, http.MethodGet, alias+"/accounts", "", &accounts)
		return len(accounts) == 1 && accounts[0].Status == "active"
	})
	type channel struct {
		ID, Name, Health, Status, Account string
		WebhookURL                        string `json:"webhook_url"`
	}
	var made channel
	p.ask("alice", http.StatusCreated, http.MethodPost, alias+"/channels",
		`{"provider":"telegram","channel_name":"Support bot","connected_account_id":"`+accounts[0].ID+`","parse_mode":"HTML"}`, &made)
	b := m.bound(made.Name, "Ready=True/Ready")
	if b.Annotations[v1alpha1.AnnotationChangedBy] != "alice" || b.Status.ChannelID != made.ID || b.Spec.Markup() != v1alpha1.ParseModeHTML {
		t.Errorf("the manifest is %+v", b)
	}
	shown := func(want string) channel {
		t.Helper()
		var all []channel
		m.eventually("the console shows the channel as "+want, func() bool {
			all = nil
			p.ask("alice", http.StatusOK, http.MethodGet, alias+"/channels", "", &all)
			return len(all) == 1 && all[0].Health == want
		})
		return all[0]
	}
	if c := shown("ok"); c.ID != made.ID || c.WebhookURL == "" || c.Account == "" {
		t.Errorf("it is shown as %+v", c)
	}
	p.ask("alice", http.StatusOK, http.MethodPatch, alias+"/channels/"+made.ID, `{"status":"inactive"}`, nil)
	m.bound(made.Name, "Ready=False/Inactive")
	shown("off")
	m.eventually("the bot's webhook is removed", func() bool { return m.webhook(1) == "" })

	var trail []struct {
		Type      string `json:"type"`
		ActorName string `json:"actor_name"`
		ChannelID string `json:"channel_id"`
	}
	p.ask("alice", http.StatusOK, http.MethodGet, alias+"/audit?people=true", "", &trail)
	var told []string
	for _, entry := range trail {
		if entry.ChannelID == made.ID {
			told = append(told, entry.ActorName+" "+entry.Type)
		}
	}
	if !slices.Equal(told, []string{"alice channel.updated", "alice channel.created"}) {
		t.Errorf("the trail is %v", told)
	}
	p.ask("otto", http.StatusNotFound, http.MethodGet, alias+"/channels", "", nil)
	p.ask("otto", http.StatusNotFound, http.MethodPatch, alias+"/channels/"+made.ID, `{"status":"active"}`, nil)
	p.ask("otto", http.StatusNotFound, http.MethodPatch, "/"+m.alias("b")+"/channels/"+made.ID, `{"status":"active"}`, nil)
	m.quiet()
}
