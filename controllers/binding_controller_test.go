package controllers

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/controllers/kubetest"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

func TestABindingOfEachProvider(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	gh := m.bot("gh", 1)
	gh.Labels[v1alpha1.LabelConnectedAccount], gh.Data = string(v1alpha1.AccountGitHubWebhook), map[string][]byte{"secret": []byte("hook-secret")}
	m.create(m.exposed("a"), m.bot("bot", 1), gh,
		m.binding("telegram", "a", v1alpha1.ProviderTelegram, "bot"),
		m.binding("github", "a", v1alpha1.ProviderGitHub, "gh"),
		m.binding("events", "a", v1alpha1.ProviderGenericWebhook, ""))
	for name, c := range map[string]struct{ conditions, account, url string }{
		"telegram": {"WebhookRegistered=True/WebhookRegistered", "@bot1_bot", "https://inbox.example.com/v1/apps/socialops/" + m.alias("a") + "/webhook/telegram"},
		"github":   {"WebhookRegistered=Unknown/WebhookManual", "", "https://inbox.example.com/v1/apps/socialops/" + m.alias("a") + "/webhook/github"},
		"events":   {"WebhookRegistered=absent", "", ""},
	} {
		b := m.bound(name, "Ready=True/Ready", "Stalled=absent", "Reconciling=absent", "ChannelBound=True/ChannelBound", c.conditions)
		if s := b.Status; s.ObservedGeneration != b.Generation || !strings.HasPrefix(s.ChannelID, "soch_") || s.Account != c.account || name == "telegram" && s.WebhookURL != c.url {
			t.Errorf("%s: %+v", name, s)
		}
		if want := name == "telegram"; slices.Contains(b.Finalizers, v1alpha1.FinalizerWebhook) != want {
			t.Errorf("%s has the finalizers %v", name, b.Finalizers)
		}
		m.said("ChannelBinding", name, "Normal Ready: the channel takes events")
	}
	if got := m.webhook(1); !strings.HasSuffix(got, "/"+m.alias("a")+"/webhook/telegram") {
		t.Errorf("the bot's webhook leads to %q", got)
	}
	m.said("Secret", "bot", "Normal AccountProven: the credential is @bot1_bot's")
	in := &v1alpha1.SocialOpsInstance{ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: "a"}}
	kubetest.Await(t, m.Env, in, "has three channels", func(in *v1alpha1.SocialOpsInstance) bool {
		return in.Status.Channels != nil && *in.Status.Channels == 3
	})

	// From here on there is nothing to do, whoever touches what.
	m.settled()
	mark, calls := m.mark(), m.calls()
	m.touch("telegram", &v1alpha1.ChannelBinding{})
	m.touch("bot", secretNamed("bot"))
	m.settled()
	if got := m.writes(mark); len(got) > 0 {
		t.Errorf("at rest it writes %v", got)
	}
	if got := m.calls(); got != calls || calls != "getme 1, getwebhookinfo 1, setwebhook 1, deletewebhook 0" {
		t.Errorf("calls: %s, and then %s", calls, got)
	}
	m.quiet()
}

// Each case has an instance, a bot and a binding of its own, in one cluster.
func TestWhatABindingSays(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	type parts struct {
		instance *v1alpha1.SocialOpsInstance
		secret   *corev1.Secret
		binding  *v1alpha1.ChannelBinding
	}
	cases := []struct {
		name  string
		spoil func(*parts)
		want  []string
		mend  func(name string)
	}{
		{"account-missing", func(p *parts) { p.secret = nil }, []string{"AccountProven=False/AccountMissing", "Stalled=True/AccountMissing"}, nil},
		{"no-label", func(p *parts) { p.secret.Labels = nil }, []string{"AccountProven=False/AccountMissing"}, func(name string) {
			edit(m.operator, name, secretNamed(name), func(s *corev1.Secret) {
				s.Labels = map[string]string{v1alpha1.LabelConnectedAccount: string(v1alpha1.AccountTelegramBot)}
			})
		}},
		{"another-kind", func(p *parts) { p.secret.Labels[v1alpha1.LabelConnectedAccount] = "slack" }, []string{"AccountProven=False/AccountKind"}, func(name string) {
			edit(m.operator, name, secretNamed(name), func(s *corev1.Secret) {
				s.Labels[v1alpha1.LabelConnectedAccount] = string(v1alpha1.AccountTelegramBot)
			})
		}},
		{"no-token", func(p *parts) { p.secret.Data = nil }, []string{"AccountProven=False/AccountIncomplete"}, func(name string) {
			edit(m.operator, name, secretNamed(name), func(s *corev1.Secret) { s.Data = map[string][]byte{"token": []byte(botToken(104))} })
		}},
		{"another-owner", func(p *parts) { p.secret.Annotations[v1alpha1.AnnotationOwner] = "mallory" }, []string{"AccountProven=False/AccountForeignOwner"}, func(name string) {
			edit(m.operator, name, secretNamed(name), func(s *corev1.Secret) { s.Annotations[v1alpha1.AnnotationOwner] = "alice" })
		}},
		{"token-refused", func(p *parts) { p.secret.Data["token"] = []byte("no token") }, []string{"AccountProven=False/TokenRefused", "Stalled=True/TokenRefused"}, func(name string) {
			edit(m.operator, name, secretNamed(name), func(s *corev1.Secret) { s.Data["token"] = []byte(botToken(106)) })
		}},
		{"instance-missing", func(p *parts) { p.instance = nil }, []string{"InstanceReady=False/InstanceMissing"}, func(name string) { m.create(m.exposed(name)) }},
		{
			"provider-not-allowed", func(p *parts) { p.instance.Spec.Providers = []v1alpha1.Provider{v1alpha1.ProviderGitHub} },
			[]string{"InstanceReady=False/ProviderNotAllowed"},
			func(name string) {
				edit(m.operator, name, &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) {
					in.Spec.Providers = append(in.Spec.Providers, v1alpha1.ProviderTelegram)
				})
			},
		},
		{
			"no-public-url", func(p *parts) { p.instance.Spec.Exposure.Type = v1alpha1.ExposureNone },
			[]string{"WebhookRegistered=False/NoPublicURL", "ChannelBound=True/ChannelBound"},
			func(name string) {
				edit(m.operator, name, &v1alpha1.SocialOpsInstance{}, func(in *v1alpha1.SocialOpsInstance) { in.Spec.Exposure.Type = v1alpha1.ExposureIngress })
			},
		},
		{"inactive", func(p *parts) { p.binding.Spec.Active = new(false) }, []string{"ChannelBound=False/Inactive", "Stalled=absent", "Reconciling=absent"}, func(name string) {
			edit(m.operator, name, &v1alpha1.ChannelBinding{}, func(b *v1alpha1.ChannelBinding) { b.Spec.Active = new(true) })
		}},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			number := 101 + i
			p := parts{m.exposed(c.name), m.bot(c.name, number), m.binding(c.name, c.name, v1alpha1.ProviderTelegram, c.name)}
			whole := p.secret.DeepCopy()
			c.spoil(&p)
			if p.instance != nil {
				m.create(p.instance)
			}
			if p.secret != nil {
				m.create(p.secret)
			}
			m.create(p.binding)
			first, _, _ := strings.Cut(c.want[0], "=")
			wrong := "Ready=" + strings.TrimPrefix(c.want[0], first+"=")
			b := m.bound(c.name, append([]string{wrong}, c.want...)...)
			if got := meta.FindStatusCondition(b.Status.Conditions, "Ready").Message; len(got) < 20 || strings.Contains(got, botToken(number)) {
				t.Errorf("it says %q", got)
			}
			if c.mend == nil {
				m.create(whole)
			} else {
				c.mend(c.name)
			}
			m.bound(c.name, "Ready=True/Ready", "WebhookRegistered=True/WebhookRegistered")
		})
	}
	m.quiet()
}

func TestTelegramIsAwayForABinding(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.sim.Inject(botapisim.Fault{Method: "getMe", Status: http.StatusBadGateway})
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=False/ProviderUnavailable", "Reconciling=True/ProviderUnavailable", "AccountProven=False/ProviderUnavailable")
	m.sim.ClearFaults()
	m.sim.Inject(botapisim.Fault{Method: "setWebhook", Status: http.StatusBadGateway})
	m.clock.advance(31 * time.Second)
	m.touch("b", &v1alpha1.ChannelBinding{})
	m.bound("b", "AccountProven=True/AccountProven", "WebhookRegistered=False/ProviderUnavailable")
	m.sim.ClearFaults()
	m.clock.advance(31 * time.Second)
	m.touch("b", &v1alpha1.ChannelBinding{})
	m.bound("b", "Ready=True/Ready", "Reconciling=absent")
	m.quiet()
}

// What was due comes by itself.
func TestADueCheckComesByItself(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.sim.Inject(botapisim.Fault{Method: "getMe", Status: http.StatusBadGateway, Times: 1})
	// A clock that runs ten times as fast makes 30 seconds 3 for the projection, and a requeue of it as short.
	began := time.Now()
	m.options.Now = func() time.Time { return began.Add(10 * time.Since(began)) }
	m.start()
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=False/ProviderUnavailable")
	m.bound("b", "Ready=True/Ready")
}

func TestAWebhookThatLeadsElsewhere(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.point(1, "https://elsewhere.example/hook")
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=False/WebhookTaken", "Stalled=True/WebhookTaken")
	m.said("ChannelBinding", "b", "Warning WebhookTaken: ")
	m.point(1, "")
	m.clock.advance(6 * time.Minute)
	m.touch("b", &v1alpha1.ChannelBinding{})
	m.bound("b", "Ready=True/Ready")
	m.quiet()
}

func TestAChatBoundTwiceIsFreed(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("first", "a", v1alpha1.ProviderTelegram, "bot", chat("-100")))
	m.bound("first", "Ready=True/Ready")
	m.create(m.binding("second", "a", v1alpha1.ProviderTelegram, "bot", chat("-100")), m.binding("third", "a", v1alpha1.ProviderTelegram, "bot", chat("-100")))
	m.bound("second", "Ready=False/ChatBoundTwice")
	m.bound("third", "Ready=False/ChatBoundTwice")
	m.remove(m.binding("third", "", "", ""))
	edit(m.operator, "first", &v1alpha1.ChannelBinding{}, func(b *v1alpha1.ChannelBinding) { b.Spec.ExternalChannelID = "-200" })
	m.bound("second", "Ready=True/Ready")
	m.bound("first", "Ready=True/Ready")
	m.create(m.binding("third", "a", v1alpha1.ProviderTelegram, "bot", chat("-100")))
	m.bound("third", "Ready=False/ChatBoundTwice")
	m.remove(m.binding("second", "", "", ""))
	m.bound("third", "Ready=True/Ready")
	if got := m.webhook(1); got == "" {
		t.Error("the bot's webhook went with one of its channels")
	}
	m.quiet()
}

func TestABotThatServesAnotherInstanceIsFreed(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.exposed("b"), m.exposed("c"), m.bot("bot", 1), m.binding("a", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("a", "Ready=True/Ready")
	m.create(m.binding("b", "b", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=False/BotTaken", "Stalled=True/BotTaken")
	m.remove(m.binding("a", "", "", ""))
	m.bound("b", "Ready=True/Ready")
	if got := m.webhook(1); !strings.Contains(got, m.alias("b")) {
		t.Errorf("the webhook leads to %s", got)
	}
	m.create(m.binding("c", "c", v1alpha1.ProviderTelegram, "bot"))
	m.bound("c", "Ready=False/BotTaken")
	m.remove(m.instance("b"))
	m.bound("c", "Ready=True/Ready")
	m.bound("b", "Ready=False/InstanceMissing")
	if got := m.webhook(1); !strings.Contains(got, m.alias("c")) {
		t.Errorf("the webhook leads to %s", got)
	}
	m.quiet()
}

func TestARotatedSecretToken(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=True/Ready")
	_, old, _ := m.sim.Webhook(botToken(1))
	edit(m.operator, "bot", secretNamed("bot"), func(s *corev1.Secret) { s.Data["webhook-secret"] = []byte("chosen-by-hand") })
	m.eventually("Telegram was told", func() bool { _, now, _ := m.sim.Webhook(botToken(1)); return now == "chosen-by-hand" })
	if old == "chosen-by-hand" || len(old) != 48 {
		t.Errorf("the token before was %q", old)
	}
	const accepted = "SELECT count(*) FROM account_proof WHERE token_hash = sha256($1::bytea) AND old_token_hash = sha256($2::bytea) AND old_until > now() + interval '9 minutes'"
	m.eventually("both tokens are accepted", func() bool { return m.query(accepted, []byte("chosen-by-hand"), []byte(old)) == "1" })
}

func TestABindingIsDeletedWhileTelegramIsAway(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.bot("bot", 1), m.bot("other", 2),
		m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"), m.binding("quick", "a", v1alpha1.ProviderTelegram, "other"))
	m.bound("b", "Ready=True/Ready")
	m.bound("quick", "Ready=True/Ready")
	m.remove(m.binding("quick", "", "", ""))
	kubetest.AwaitGone(t, m.Env, m.binding("quick", "", "", ""))
	if got := m.webhook(2); got != "" {
		t.Errorf("the bot still sends to %s", got)
	}

	fault := m.sim.Inject(botapisim.Fault{Method: "deleteWebhook", Status: http.StatusBadGateway})
	m.remove(m.binding("b", "", "", ""))
	if err := fault.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.eventually("the channel is closed", func() bool {
		return m.query("SELECT count(*) FROM channel WHERE name = 'Channel b' AND removed_at IS NOT NULL") == "1"
	})
	if b := get(m.operator, "b", &v1alpha1.ChannelBinding{}); b.DeletionTimestamp == nil {
		t.Error("it is not being deleted")
	}
	m.clock.advance(61 * time.Second)
	m.touch("b", &v1alpha1.ChannelBinding{})
	kubetest.AwaitGone(t, m.Env, m.binding("b", "", "", ""))
	m.said("ChannelBinding", "b", "Warning WebhookLeft: the bot's webhook could not be removed in time")

	// Once Telegram is back, the account sees to it.
	m.sim.ClearFaults()
	m.clock.advance(31 * time.Second)
	m.touch("bot", secretNamed("bot"))
	m.eventually("the webhook is removed", func() bool { return m.webhook(1) == "" })
	m.quiet()
}

func TestABindingGoesWithItsNamespace(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=True/Ready")
	fault := m.sim.Inject(botapisim.Fault{Method: "deleteWebhook", Status: http.StatusBadGateway})
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.Namespace}}
	if err := m.Client.Delete(t.Context(), ns); err != nil { // terminating from here on
		t.Fatal(err)
	}
	m.remove(m.binding("b", "", "", ""))
	if err := fault.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.clock.advance(31 * time.Second)
	m.touch("b", &v1alpha1.ChannelBinding{})
	kubetest.AwaitGone(t, m.Env, m.binding("b", "", "", ""))
}

func TestAnAccountThatIsGone(t *testing.T) {
	t.Parallel()
	for title, c := range map[string]func(*messenger){
		"deleted": func(m *messenger) { m.remove(secretNamed("bot")) },
		"unlabelled": func(m *messenger) {
			edit(m.operator, "bot", secretNamed("bot"), func(s *corev1.Secret) { s.Labels = nil })
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			m := startMessenger(t)
			m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
			m.bound("b", "Ready=True/Ready")
			c(m)
			m.bound("b", "Ready=False/AccountMissing")
			m.eventually("the webhook is removed", func() bool { return m.webhook(1) == "" })
			m.clock.advance(6 * time.Second)
			m.eventually("the account is gone", func() bool { return m.query("SELECT count(*) FROM account") == "0" })
			switch title {
			case "deleted":
				m.create(m.bot("bot", 1))
			default:
				edit(m.operator, "bot", secretNamed("bot"), func(s *corev1.Secret) {
					s.Labels = map[string]string{v1alpha1.LabelConnectedAccount: string(v1alpha1.AccountTelegramBot)}
				})
			}
			m.bound("b", "Ready=True/Ready")
			m.quiet()
		})
	}
}

// A status that somebody edits, and a finalizer that somebody takes off, come back.
func TestABindingHeals(t *testing.T) {
	t.Parallel()
	m := startMessenger(t)
	m.create(m.exposed("a"), m.bot("bot", 1), m.binding("b", "a", v1alpha1.ProviderTelegram, "bot"))
	m.bound("b", "Ready=True/Ready")
	m.settled()
	b := get(m.operator, "b", &v1alpha1.ChannelBinding{})
	base := b.DeepCopy()
	b.Status.Conditions = nil
	b.Status.Account = "@mallory"
	if err := m.Client.Status().Patch(t.Context(), b, client.MergeFrom(base)); err != nil {
		t.Fatal(err)
	}
	m.eventually("the status is as it was", func() bool {
		b := get(m.operator, "b", &v1alpha1.ChannelBinding{})
		return b.Status.Account == "@bot1_bot" && holds(b.Status.Conditions, "Ready=True/Ready")
	})
	edit(m.operator, "b", &v1alpha1.ChannelBinding{}, func(b *v1alpha1.ChannelBinding) { b.Finalizers = nil })
	m.eventually("the finalizer is back", func() bool { return len(get(m.operator, "b", &v1alpha1.ChannelBinding{}).Finalizers) == 1 })
}
