package telegram

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

const (
	tokenSecret = "AAF-topSecret_0123456789abcdefghijk"
	token       = "111:" + tokenSecret
)

var credential = provider.Credential{Source: "telegram:111", Secret: []byte(token)}

func startSim(t *testing.T, o botapisim.Options) *botapisim.Sim {
	t.Helper()
	o.Bots = append(o.Bots, botapisim.Bot{Token: token, Username: "support_bot", Name: "Support"})
	sim, err := botapisim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

func newProvider(t *testing.T, sim *botapisim.Sim, o Options) *Provider {
	t.Helper()
	if sim != nil {
		o.APIURL = sim.URL()
	}
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// noToken fails a test whose words hold the token or its secret part.
func noToken(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(w, tokenSecret) || strings.Contains(w, "AAF-") {
			t.Errorf("the token leaks: %s", w)
		}
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	person := models.User{ID: 7, FirstName: "Ann"}
	for name, c := range map[string]struct {
		part   provider.Reply
		secret string
		fault  *botapisim.Fault
		before func(*botapisim.Sim)
		want   inbox.Outcome
		sent   []botapisim.Sent // but for times, bot and raw text
	}{
		"text": {
			part: provider.Reply{ThreadExternalID: "7", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"topic": {
			part: provider.Reply{ThreadExternalID: "-1001:9", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "-1001:1"},
			sent: []botapisim.Sent{{ChatID: -1001, ThreadID: 9, MessageID: 1, Text: "hi"}},
		},
		"answer": {
			before: func(s *botapisim.Sim) { s.UserSays(token, botapisim.Private(person), person, "help") },
			part:   provider.Reply{ThreadExternalID: "7", ParentExternalID: "7:1", Text: "hi"},
			want:   inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:2"},
			sent:   []botapisim.Sent{{ChatID: 7, MessageID: 2, ReplyTo: 1, Text: "hi"}},
		},
		"answer to what is gone": {
			part: provider.Reply{ThreadExternalID: "7", ParentExternalID: "7:99", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"answer to another chat's": {
			before: func(s *botapisim.Sim) { s.UserSays(token, botapisim.Private(person), person, "help") },
			part:   provider.Reply{ThreadExternalID: "7", ParentExternalID: "8:1", Text: "hi"},
			want:   inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:2"},
			sent:   []botapisim.Sent{{ChatID: 7, MessageID: 2, Text: "hi"}},
		},
		"answer to a button": {
			part: provider.Reply{ThreadExternalID: "7", ParentExternalID: "callback:123", Text: "hi"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "hi"}},
		},
		"HTML": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<b>1 &lt; 2</b>", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "1 < 2", ParseMode: "HTML"}},
		},
		"bad HTML goes out plain": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<b>1 &lt; 2<br>x", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "1 < 2\nx"}},
		},
		"bad MarkdownV2 goes out plain": {
			part: provider.Reply{ThreadExternalID: "7", Text: `2\.5 is *more* than 1.5`, ParseMode: "MarkdownV2"},
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "2.5 is *more* than 1.5"}},
		},
		"too many entities go out plain": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "<b>x</b>", ParseMode: "HTML"},
			fault: &botapisim.Fault{Times: 1, Status: 400, Description: "Bad Request: ENTITIES_TOO_LONG"},
			want:  inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"plain text is not sent twice": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 400, Description: "Bad Request: can't parse entities: x"},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: can't parse entities: x"},
		},
		"bad markup, then silence": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "<br>x", ParseMode: "HTML"},
			fault: &botapisim.Fault{Skip: 1, Drop: botapisim.BeforeAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "\nx"}},
		},
		"nothing but bad markup": {
			part: provider.Reply{ThreadExternalID: "7", Text: "<br>", ParseMode: "HTML"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: `Telegram refused it (400): Bad Request: can't parse entities: Unsupported start tag "br" at byte offset 0`},
		},
		"blank": {
			part: provider.Reply{ThreadExternalID: "7", Text: " \n\u200b"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram takes no message without text"},
		},
		"no chat": {
			part: provider.Reply{ThreadExternalID: "incident_42", Text: "x"},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "the thread is no Telegram chat"},
		},
		"no token": {
			part: provider.Reply{ThreadExternalID: "7", Text: "x"}, secret: "../evil",
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "the connected account holds no bot token: put the one from @BotFather into it"},
		},
		"token with a line end": {
			part: provider.Reply{ThreadExternalID: "7", Text: "x"}, secret: token + "\n",
			want: inbox.Outcome{Kind: inbox.Delivered, ExternalID: "7:1"},
			sent: []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"too long": {
			part: provider.Reply{ThreadExternalID: "7", Text: strings.Repeat("x", 4097)},
			want: inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: message is too long"},
		},
		"blocked": {
			before: func(s *botapisim.Sim) { s.UserBlocks(token, person) },
			part:   provider.Reply{ThreadExternalID: "7", Text: "x"},
			want:   inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (403): Forbidden: bot was blocked by the user"},
		},
		"revoked": {
			before: func(s *botapisim.Sim) { s.Revoke(token) },
			part:   provider.Reply{ThreadExternalID: "7", Text: "x"},
			want:   inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (401): Unauthorized: is the bot token still valid?"},
		},
		"migrated": {
			before: func(s *botapisim.Sim) {
				s.GroupMigrates(token, models.Chat{ID: -5, Type: "group", Title: "Team"}, -1005)
			},
			part: provider.Reply{ThreadExternalID: "-5", Text: "x"},
			want: inbox.Outcome{Kind: inbox.Later, MigratedTo: "-1005", Reason: "Telegram refused it (400): Bad Request: group chat was upgraded to a supergroup chat"},
		},
		"migrated with a topic": {
			part:  provider.Reply{ThreadExternalID: "-5:3", Text: "x"},
			fault: &botapisim.Fault{Status: 400, MigrateTo: -1005},
			want:  inbox.Outcome{Kind: inbox.Later, MigratedTo: "-1005:3", Reason: "Telegram refused it (400): Bad Request: group chat was upgraded to a supergroup chat"},
		},
		"slow down": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 429, RetryAfter: 17},
			want:  inbox.Outcome{Kind: inbox.Later, RetryAfter: 17 * time.Second, Reason: "Telegram asked to wait: Too Many Requests: retry after 17"},
		},
		"slow down without a word": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 429, Body: "<html>busy</html>"},
			want:  inbox.Outcome{Kind: inbox.Later, Reason: "Telegram asked to wait: Too Many Requests"},
		},
		"a proxy's refusal": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 413, Body: "<html>too large</html>"},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (413): Request Entity Too Large"},
		},
		"server error": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 500},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 500"},
		},
		"bad gateway": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 502, Body: "<html></html>", Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 502"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"dropped unread": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.BeforeRead},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
		},
		"dropped unanswered": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.BeforeAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: …"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"dropped in the answer": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Drop: botapisim.MidAnswer, Effect: true},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer broke off: unexpected EOF"},
			sent:  []botapisim.Sent{{ChatID: 7, MessageID: 1, Text: "x"}},
		},
		"hangs": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Hang: true, Status: 500},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "no answer of the Bot API: it took too long"},
		},
		"answer of no kind": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: "<html>hello</html>"},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is not one: it is no JSON of its kind"},
		},
		"cut JSON": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true,"result":{"message_id":5`},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is not one: it is no JSON of its kind"},
		},
		"endless answer": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: strings.Repeat("x", maxAnswer+1)},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API's answer is too long to read"},
		},
		"redirect is not followed": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 307, Body: "{}"},
			want:  inbox.Outcome{Kind: inbox.Unknown, Reason: "the Bot API answered with status 307"},
		},
		"said in the body only": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}`},
			want:  inbox.Outcome{Kind: inbox.Later, RetryAfter: 3 * time.Second, Reason: "Telegram asked to wait: Too Many Requests: retry after 3"},
		},
		"scheduled: no id yet": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true,"result":{"message_id":0,"chat":{"id":7}}}`},
			want:  inbox.Outcome{Kind: inbox.Delivered},
		},
		"ok without a result": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Body: `{"ok":true}`},
			want:  inbox.Outcome{Kind: inbox.Delivered},
		},
		"the token comes back": {
			part:  provider.Reply{ThreadExternalID: "7", Text: "x"},
			fault: &botapisim.Fault{Status: 400, Description: "Bad Request: no\nmethod /bot" + token + "/ or " + tokenSecret},
			want:  inbox.Outcome{Kind: inbox.Refused, Reason: "Telegram refused it (400): Bad Request: no method /bot…/ or …"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := startSim(t, botapisim.Options{})
			timeout := 5 * time.Second
			if c.fault != nil {
				c.fault.Method = "sendMessage"
				sim.Inject(*c.fault)
				if c.fault.Hang {
					timeout = 100 * time.Millisecond
				}
			}
			if c.before != nil {
				c.before(sim)
			}
			p := newProvider(t, sim, Options{SendTimeout: timeout})
			if c.secret == "" {
				c.secret = token
			}
			got := p.Deliver(t.Context(), provider.Credential{Secret: []byte(c.secret)}, c.part)
			noToken(t, fmt.Sprintf("%+v", got))
			if prefix, any := strings.CutSuffix(c.want.Reason, "…"); any && strings.HasPrefix(got.Reason, prefix) {
				c.want.Reason = got.Reason // net/http's words for a broken connection vary
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			sent := sim.Sent()
			for i := range sent {
				sent[i].At, sent[i].BotID, sent[i].Raw = time.Time{}, 0, ""
			}
			if d := cmp.Diff(c.sent, sent); d != "" {
				t.Error("the simulator has:", d)
			}
		})
	}
}

// One person's topic in a channel's direct messages is addressed by a field of its own.
func TestDeliverDirectMessages(t *testing.T) {
	t.Parallel()
	sim := startSim(t, botapisim.Options{})
	out := newProvider(t, sim, Options{}).Deliver(t.Context(), credential, provider.Reply{ThreadExternalID: "-1004:dm77", Text: "x"})
	if out.Kind != inbox.Delivered {
		t.Fatalf("%+v", out)
	}
	args := sim.Calls("sendmessage")[0].Args
	if args["direct_messages_topic_id"] != "77" || args["chat_id"] != "-1004" || args["message_thread_id"] != "" {
		t.Errorf("sent with %v", args)
	}
}
