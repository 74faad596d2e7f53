package telegram

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/inbox"
	"github.com/open4x/socialops/runtime/provider"
)

var proof = provider.Proof{Source: "telegram:111"}

func request(body []byte) *provider.Request {
	return &provider.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "updates", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// The samples' chats and people.
const (
	annID   = "6012345678"
	groupID = "-1001234567890"
	forumID = "-1002222222222"
	newsID  = "-1003333333333"
)

var (
	ann  = &inbox.InboundContact{ExternalID: annID, Name: "Ann Lee", Handle: "annlee", URL: "https://t.me/annlee"}
	news = &inbox.InboundContact{ExternalID: newsID, Name: "News", Handle: "acme_news", URL: "https://t.me/acme_news"}
	sent = time.Unix(1764000000, 0).UTC()
)

func attachment(kind, name, mimeType string, size int64, ref string) []inbox.InboundAttachment {
	return []inbox.InboundAttachment{{Kind: kind, Name: name, MIMEType: mimeType, Size: size, Ref: ref}}
}

type data = map[string]any

func TestNormalize(t *testing.T) {
	t.Parallel()
	private := inbox.InboundThread{ExternalID: annID, Subject: "Ann Lee"}
	// said is a message in Ann's private chat, but for what a case says.
	said := func(kind, text string, more ...func(*inbox.Inbound)) inbox.Inbound {
		in := inbox.Inbound{
			Kind: inbox.AddMessage, Target: annID, Thread: private, Contact: ann,
			Message: inbox.InboundMessage{ExternalID: annID + ":42", Type: kind, Text: text, SentAt: sent},
		}
		for _, f := range more {
			f(&in)
		}
		return in
	}
	with := func(d data) func(*inbox.Inbound) { return func(in *inbox.Inbound) { in.Message.Data = d } }
	attached := func(a []inbox.InboundAttachment) func(*inbox.Inbound) {
		return func(in *inbox.Inbound) { in.Message.Attachments = a }
	}
	in := func(chat, topic, subject, url string) func(*inbox.Inbound) {
		return func(in *inbox.Inbound) {
			in.Target, in.Thread = chat, inbox.InboundThread{ExternalID: chat + topic, Subject: subject}
			if in.Message.ExternalID != "" {
				in.Message.ExternalID = chat + ":42"
			}
			in.Message.URL = url
		}
	}
	group := in(groupID, "", "Support", "https://t.me/acme_support/42")
	by := func(c *inbox.InboundContact) func(*inbox.Inbound) {
		return func(in *inbox.Inbound) { in.Contact = c }
	}
	answers := func(id string) func(*inbox.Inbound) { return func(in *inbox.Inbound) { in.Message.ParentID = id } }
	as := func(k inbox.InboundKind) func(*inbox.Inbound) { return func(in *inbox.Inbound) { in.Kind = k } }
	migration := inbox.Inbound{
		Kind: inbox.MigrateThread, Target: "-4123456789", Thread: inbox.InboundThread{ExternalID: "-4123456789"},
		MigratedTo: "-1009876543210", MigratedTarget: "-1009876543210",
	}

	for name, want := range map[string]inbox.Inbound{
		"text": said("text", "/start hello 👋", with(data{"entities": []entity{{Type: "bot_command", Length: 6}}})),
		"text_group_reply": said("text", "me too", group, answers(groupID+":40"),
			with(data{"quote": "fails"})),
		"text_thread_without_topic": said("text", "in a thread", group, answers(groupID+":40")),
		"anonymous_admin": said("text", "hi", group, with(data{"author_signature": "boss"}),
			by(&inbox.InboundContact{ExternalID: groupID, Name: "Support", Handle: "acme_support", URL: "https://t.me/acme_support"})),
		"linked_channel":         said("text", "news", group, by(news), with(data{"forwarded_from": "News"})),
		"forwarded_hidden":       said("text", "see", with(data{"forwarded_from": "Bob", "via_bot": "@gif"})),
		"forwarded_unknown_kind": said("text", "see", with(data{"forwarded_from": ""})),
		"topic":                  said("text", "broken", in(forumID, ":9", "Forum: Billing", "")),
		"topic_reply":            said("text", "same", in(forumID, ":9", "Forum", ""), answers(forumID+":12")),
		"topic_private":          said("text", "new subject", in(annID, ":77", "Ann Lee", "")),
		"direct_messages":        said("text", "to the channel", in("-1004444444444", ":dm"+annID, "News DM", "")),
		"edited":                 said("text", "/start hullo", as(inbox.EditMessage)),
		"channel_post": said("text", "released", in(newsID, "", "News", "https://t.me/acme_news/42"), by(news),
			with(data{"author_signature": "Eve"})),
		"edited_channel_post": said("text", "released!", in(newsID, "", "News", "https://t.me/acme_news/42"), by(news),
			as(inbox.EditMessage)),
		"photo_album": said("photo", "<b>it</b>", attached(attachment("image", "", "image/jpeg", 150000, "PHOTO2")),
			with(data{"entities": []entity{{Type: "bold", Length: 3}}}),
			func(in *inbox.Inbound) { in.Message.GroupID = "13579" }),
		"live_photo": said("live_photo", "", attached(append(attachment("image", "", "image/jpeg", 1200, "PHOTO1"),
			attachment("video", "", "video/mp4", 900, "LIVE")...))),
		"video":      said("video", "", attached(attachment("video", "a.mp4", "video/mp4", 12345678901, "VID"))),
		"animation":  said("animation", "", attached(attachment("video", "a.gif.mp4", "video/mp4", 10, "ANI"))),
		"audio":      said("audio", "", attached(attachment("audio", "Bach - Air", "audio/mpeg", 5, "AUD"))),
		"voice":      said("voice", "", attached(attachment("voice", "", "audio/ogg", 5, "VOI"))),
		"video_note": said("video_note", "", attached(attachment("video", "", "video/mp4", 5, "VN"))),
		"document":   said("document", "log", attached(attachment("file", "päth\n.txt", "", 77, "DOC"))),
		"sticker":    said("sticker", "😀", attached(attachment("sticker", "", "application/x-tgsticker", 5, "STI"))),
		"location": said("location", "", with(data{"latitude": 52.520008, "longitude": 13.404954}),
			attached([]inbox.InboundAttachment{{Kind: "location", URL: "geo:52.520008,13.404954"}})),
		"venue": said("venue", "Cafe, Main St 1", with(data{"latitude": 52.5, "longitude": 13.4}),
			attached([]inbox.InboundAttachment{{Kind: "location", Name: "Cafe", URL: "geo:52.5,13.4"}})),
		"contact": said("contact", "Bob Roe, +491701234567", with(data{"contact": data{
			"first_name": "Bob", "last_name": "Roe", "phone_number": "+491701234567", "vcard": "",
		}})),
		"poll":            said("poll", "When?", with(data{"options": []string{"Mon", "Tue"}})),
		"dice":            said("dice", "🎲", with(data{"value": 6})),
		"story":           said("story", ""),
		"checklist":       said("checklist", "To do", with(data{"tasks": []string{"this", "that"}})),
		"paid_media":      said("paid_media", "buy", with(data{"star_count": int64(5)})),
		"game":            said("game", "Chess"),
		"invoice":         said("invoice", "Tea"),
		"web_app_data":    said("web_app_data", "Order", with(data{"data": `{"a":1}`})),
		"unknown_content": said("rich_message", ""),
		"scheduled_without_id": said("text", "later", func(in *inbox.Inbound) {
			in.Message.ExternalID = ""
		}),
		"callback": said("callback_query", "Yes ✅", with(data{"data": "ok:1"}), answers(annID+":42"), func(in *inbox.Inbound) {
			in.Message.ExternalID, in.Message.SentAt = "callback:4382bfdwdsb323b2d9", time.Time{}
		}),
		"callback_inaccessible": said("callback_query", "ok:1", group, with(data{"data": "ok:1"}), answers(groupID+":42"), func(in *inbox.Inbound) {
			in.Message.ExternalID, in.Message.SentAt, in.Message.URL = "callback:4382bfdwdsb323b2d9", time.Time{}, ""
		}),
		"blocked":   {Kind: inbox.BlockContact, Target: annID, Thread: private, Contact: ann},
		"unblocked": {Kind: inbox.AllowContact, Target: annID, Thread: private, Contact: ann},
		"reaction": {
			Kind: inbox.React, Target: forumID, Contact: ann,
			Thread: inbox.InboundThread{ExternalID: forumID, Subject: "Forum"},
			Message: inbox.InboundMessage{
				ExternalID: forumID + ":42", Type: "message_reaction", SentAt: sent,
				Reaction: []string{"👍", "custom_emoji:5368", "⭐"},
			},
		},
		"reaction_removed": {
			Kind: inbox.React, Target: groupID, Contact: news,
			Thread:  inbox.InboundThread{ExternalID: groupID, Subject: "Support"},
			Message: inbox.InboundMessage{ExternalID: groupID + ":42", Type: "message_reaction", SentAt: sent},
		},
		"migrate_to":   migration,
		"migrate_from": migration,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := sample(t, name)
			got, err := New(Options{}).Normalize(request(body), proof)
			if err != nil {
				t.Fatal(err)
			}
			want.Provider, want.Source, want.EventID = "telegram", "telegram:111", "update:870000001"
			want.ContentType, want.Raw = "application/json", body
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNormalizeIgnores(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"callback_inline":       "callback query of an inline message",
		"membership_unknown":    "membership unchanged",
		"membership_group":      "membership in a group or channel",
		"service_join":          "service message: new_chat_member",
		"service_pinned":        "service message: pinned_message",
		"service_topic_created": "service message: forum_topic_created",
		"service_empty":         "service message",
		"inline_query":          "unsupported update: inline_query",
		"business_message":      "unsupported update: business_message",
		"unknown_update":        "unsupported update: stopped_message_generation",
		"no_kind":               "unsupported update: empty",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Options{}).Normalize(request(sample(t, name)), proof)
			ignored, ok := errors.AsType[provider.Ignored](err)
			if !ok || ignored.Reason != want {
				t.Errorf("%v, want ignored: %s", err, want)
			}
		})
	}
}

func TestNormalizeRefuses(t *testing.T) {
	t.Parallel()
	const not = "the body is not a Telegram update: "
	for name, c := range map[string]struct{ body, want string }{
		"empty":            {"", not + "send the update's JSON object as Telegram does"},
		"cut off":          {`{"update_id":1,"message":{"message_id"`, not + "send the update's JSON object as Telegram does"},
		"two values":       {`{"update_id":1}{"update_id":2}`, not + "send the update's JSON object as Telegram does"},
		"array":            {`[]`, not + "send the update's JSON object as Telegram does"},
		"null":             {`null`, not + "update_id is missing"},
		"no id":            {`{"message":{"text":"x"}}`, not + "update_id is missing"},
		"wrong id":         {`{"update_id":"one"}`, not + "update_id has the wrong type"},
		"huge id":          {`{"update_id":99999999999999999999}`, not + "update_id has the wrong type"},
		"wrong text":       {`{"update_id":1,"message":{"chat":{"id":1},"text":{"secret":"s"}}}`, not + "message.text has the wrong type"},
		"wrong chat":       {`{"update_id":1,"message":{"chat":{"id":"@name"},"text":"x"}}`, not + "message.chat.id has the wrong type"},
		"no chat":          {`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, not + "message.chat.id is missing"},
		"no edited chat":   {`{"update_id":1,"edited_channel_post":{"text":"x"}}`, not + "edited_channel_post.chat.id is missing"},
		"no callback id":   {`{"update_id":1,"callback_query":{"message":{"chat":{"id":1}}}}`, not + "callback_query.id is missing"},
		"no callback chat": {`{"update_id":1,"callback_query":{"id":"1","message":{}}}`, not + "callback_query.message.chat.id is missing"},
		"no member chat":   {`{"update_id":1,"my_chat_member":{}}`, not + "my_chat_member.chat.id is missing"},
		"no reaction id":   {`{"update_id":1,"message_reaction":{"chat":{"id":1}}}`, not + "message_reaction.message_id is missing"},
		"too deep":         {`{"update_id":1,"message":` + strings.Repeat(`{"reply_to_message":`, 20000), not + "send the update's JSON object as Telegram does"},
		"deep arrays":      {strings.Repeat("[", 1<<20), not + "send the update's JSON object as Telegram does"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Options{}).Normalize(request([]byte(c.body)), proof)
			if inbox.CodeOf(err) != inbox.CodeInvalid || err.Error() != c.want {
				t.Errorf("%q %v, want %s", inbox.CodeOf(err), err, c.want)
			}
		})
	}
}

// What is no text stays harmless: storage replaces U+0000, JSON's decoder the rest.
func TestNormalizeOddText(t *testing.T) {
	t.Parallel()
	body := "{\"update_id\":1,\"message\":{\"message_id\":1,\"chat\":{\"id\":1},\"text\":\"a\\u0000\xff\\ud800 \u202e<b>'; DROP\"}}"
	in, err := New(Options{}).Normalize(request([]byte(body)), provider.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\x00\ufffd\ufffd \u202e<b>'; DROP"; in.Message.Text != want {
		t.Errorf("%q, want %q", in.Message.Text, want)
	}
	if in.Source != "telegram" {
		t.Errorf("source %q without a proof", in.Source)
	}
	if in.Contact != nil {
		t.Errorf("a contact out of nothing: %+v", in.Contact)
	}
}

func FuzzNormalize(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "updates", "*.json"))
	if err != nil || len(names) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	p := New(Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := p.Normalize(request(body), proof)
		if err != nil {
			_, ignored := errors.AsType[provider.Ignored](err)
			if !ignored && inbox.CodeOf(err) != inbox.CodeInvalid {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if in.Provider != "telegram" || in.Source != proof.Source || in.EventID == "" || in.Target == "" {
			t.Fatalf("no identity: %+v", in)
		}
		if _, ok := parseAddress(in.Thread.ExternalID); !ok {
			t.Fatalf("thread %q can't be answered", in.Thread.ExternalID)
		}
		switch in.Kind {
		case inbox.AddMessage, inbox.EditMessage:
			if in.Message.Type == "" || cleanKind(in.Message.Type) == "" {
				t.Fatalf("message type %q", in.Message.Type)
			}
		case inbox.React:
			if in.Message.ExternalID == "" {
				t.Fatal("a reaction to nothing")
			}
		case inbox.MigrateThread:
			if _, ok := parseAddress(in.MigratedTo); !ok {
				t.Fatalf("migrated to %q", in.MigratedTo)
			}
		case inbox.BlockContact, inbox.AllowContact:
			if in.Contact == nil {
				t.Fatal("nobody blocks")
			}
		default:
			t.Fatalf("kind %q", in.Kind)
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	p := New(Options{})
	for _, name := range []string{"text", "photo_album", "callback", "service_join"} {
		b.Run(name, func(b *testing.B) {
			r := request(sample(b, name))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.Normalize(r, proof)
			}
		})
	}
}
