package controllers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/generic"
	"github.com/open4x/socialops/runtime/provider/github"
	"github.com/open4x/socialops/runtime/provider/telegram"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// messenger is an operator with a Telegram.
type messenger struct {
	*operator
	sim *botapisim.Sim
}

func newMessenger(t *testing.T, change ...func(*Options)) *messenger {
	t.Helper()
	sim, err := botapisim.Start(botapisim.Options{AnyBot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	tg := telegram.New(telegram.Options{APIURL: sim.URL()})
	t.Cleanup(tg.Close)
	return &messenger{newOperator(t, append([]func(*Options){func(o *Options) {
		o.Providers = provider.NewRegistry(generic.New(), github.New(), tg)
	}}, change...)...), sim}
}

func startMessenger(t *testing.T) *messenger {
	t.Helper()
	m := newMessenger(t)
	m.start()
	return m
}

// botToken is the token of a bot with that number.
func botToken(n int) string { return fmt.Sprintf("%d:%s", n, strings.Repeat("A", 35)) }

func (m *messenger) create(objects ...client.Object) {
	m.t.Helper()
	for _, o := range objects {
		if err := m.Client.Create(m.t.Context(), o); err != nil {
			m.t.Fatalf("%s: %v", o.GetName(), err)
		}
	}
}

func (m *messenger) remove(o client.Object) {
	m.t.Helper()
	o.SetNamespace(m.Namespace)
	if err := m.Client.Delete(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
}

// exposed is an instance that Telegram can reach.
func (m *messenger) exposed(name string, change ...func(*v1alpha1.SocialOpsInstance)) *v1alpha1.SocialOpsInstance {
	return m.instance(name, append([]func(*v1alpha1.SocialOpsInstance){func(in *v1alpha1.SocialOpsInstance) {
		in.Spec.Exposure.Type = v1alpha1.ExposureIngress
	}}, change...)...)
}

func (m *messenger) bot(name string, number int) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: m.Namespace, Name: name,
			Labels:      map[string]string{v1alpha1.LabelConnectedAccount: string(v1alpha1.AccountTelegramBot)},
			Annotations: map[string]string{v1alpha1.AnnotationOwner: "alice"},
		},
		Data: map[string][]byte{v1alpha1.KeyTelegramToken: []byte(botToken(number))},
	}
}

func (m *messenger) binding(name, instance string, p v1alpha1.Provider, account string, change ...func(*v1alpha1.ChannelBinding)) *v1alpha1.ChannelBinding {
	b := &v1alpha1.ChannelBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: name},
		Spec: v1alpha1.ChannelBindingSpec{
			InstanceRef: v1alpha1.InstanceReference{Name: instance}, Provider: p, ChannelName: "Channel " + name,
			ConnectedAccountRef: v1alpha1.SecretReference{Name: account},
		},
	}
	for _, c := range change {
		c(b)
	}
	return b
}

func chat(id string) func(*v1alpha1.ChannelBinding) {
	return func(b *v1alpha1.ChannelBinding) { b.Spec.ExternalChannelID = id }
}

// bound waits until all of the conditions hold of a binding.
func (m *messenger) bound(name string, conditions ...string) *v1alpha1.ChannelBinding {
	m.t.Helper()
	b := &v1alpha1.ChannelBinding{ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: name}}
	return kubetest.Await(m.t, m.Env, b, "is "+strings.Join(conditions, " "), func(b *v1alpha1.ChannelBinding) bool {
		return !slices.ContainsFunc(conditions, func(c string) bool { return !holds(b.Status.Conditions, c) })
	})
}

// holds tells whether a condition is as wanted: "Ready=True/Ready", "Stalled=absent".
func holds(conditions []metav1.Condition, want string) bool {
	kind, rest, _ := strings.Cut(want, "=")
	c := meta.FindStatusCondition(conditions, kind)
	if c == nil {
		return rest == "absent"
	}
	return string(c.Status)+"/"+c.Reason == rest
}

// touch changes nothing that means anything, and has an object looked at.
func (m *messenger) touch(name string, o client.Object) {
	m.t.Helper()
	o.SetNamespace(m.Namespace)
	o.SetName(name)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"example.com/touched":"%d"}}}`, m.clock.Now().UnixNano())
	err := m.Client.Patch(m.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(patch)))
	if client.IgnoreNotFound(err) != nil { // what was let go in the meantime needs none
		m.t.Fatal(err)
	}
}

// eventually waits for what no watch tells of.
func (m *messenger) eventually(what string, ok func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(kubetest.Patience); time.Now().Before(deadline); pause() {
		if ok() {
			return
		}
	}
	m.t.Fatalf("it never came that %s", what)
}

// eventsOf are those about an object, as "Normal Ready: message".
func (m *messenger) eventsOf(kind, name string) []string {
	m.t.Helper()
	var list eventsv1.EventList
	if err := m.Client.List(m.t.Context(), &list, client.InNamespace(m.Namespace)); err != nil {
		m.t.Fatal(err)
	}
	var out []string
	for _, e := range list.Items {
		if e.Regarding.Kind == kind && e.Regarding.Name == name {
			out = append(out, fmt.Sprintf("%s %s: %s", e.Type, e.Reason, e.Note))
		}
	}
	return out
}

func (m *messenger) said(kind, name, text string) {
	m.t.Helper()
	m.eventually(fmt.Sprintf("%s %s has an Event %q", kind, name, text), func() bool {
		return slices.ContainsFunc(m.eventsOf(kind, name), func(e string) bool { return strings.HasPrefix(e, text) })
	})
}

// calls counts the calls that the simulator saw.
func (m *messenger) calls() string {
	var out []string
	for _, method := range []string{"getme", "getwebhookinfo", "setwebhook", "deletewebhook"} {
		out = append(out, fmt.Sprintf("%s %d", method, len(m.sim.Calls(method))))
	}
	return strings.Join(out, ", ")
}

func (m *messenger) webhook(number int) string {
	url, _, _ := m.sim.Webhook(botToken(number))
	return url
}

// point has a bot send its updates somewhere, as somebody else would.
func (m *messenger) point(number int, url string) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.sim.URL()+"/bot"+botToken(number)+"/setWebhook", strings.NewReader(`{"url":"`+url+`"}`))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = res.Body.Close()
}
