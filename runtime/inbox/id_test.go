package inbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/inbox"
)

// The suffixes are those of the TypeID specification's valid.yml.
func TestIDTextForm(t *testing.T) {
	t.Parallel()
	for uuid, suffix := range map[[16]byte]string{
		{15: 1}:  "00000000000000000000000001",
		{15: 10}: "0000000000000000000000000a",
		{15: 16}: "0000000000000000000000000g",
		{15: 32}: "00000000000000000000000010",
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}: "7zzzzzzzzzzzzzzzzzzzzzzzzz",
		{0x01, 0x10, 0xc8, 0x53, 0x1d, 0x09, 0x52, 0xd8, 0xd7, 0x3e, 0x11, 0x94, 0xe9, 0x5b, 0x5f, 0x19}: "0123456789abcdefghjkmnpqrs",
		{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}: "01h455vb4pex5vsknk084sn02q",
	} {
		id := inbox.ThreadID(uuid)
		if got, want := id.String(), "soth_"+suffix; got != want {
			t.Errorf("%x reads %s, want %s", uuid, got, want)
		}
		var back inbox.ThreadID
		if err := back.UnmarshalText([]byte(id.String())); err != nil || back != id {
			t.Errorf("%s read back: %x, %v", id, back, err)
		}
	}
}

func TestIDRefusesOtherText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"soth_", "soth", "_", "somsg_01h455vb4pex5vsknk084sn02q", "soth_81h455vb4pex5vsknk084sn02q", "soth_01H455VB4PEX5VSKNK084SN02Q",
		"soth_01h455vb4pex5vsknk084sn02", "soth_01h455vb4pex5vsknk084sn02qq", "soth_01h455vb4pex5vsknk084sn0iq", "soth_00000000000000000000000000",
		"soth-01h455vb4pex5vsknk084sn02q", "soth_01h455vb4pex5vsknk084sn0\x002",
	} {
		var id inbox.ThreadID
		if err := id.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %x", text, id)
		} else if !strings.Contains(err.Error(), "soth_") {
			t.Errorf("%q: the error does not say what is wanted: %v", text, err)
		}
	}
}

func TestIDInJSON(t *testing.T) {
	t.Parallel()
	type row struct {
		Thread  inbox.ThreadID  `json:"thread"`
		Contact inbox.ContactID `json:"contact"`
	}
	in := row{Thread: inbox.NewID[inbox.ThreadID](time.Now())}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out row
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%s read back as %+v, %v", b, out, err)
	}
}

func TestNewIDSortsByTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a, b := inbox.NewID[inbox.MessageID](now), inbox.NewID[inbox.MessageID](now.Add(time.Millisecond))
	if a.String() >= b.String() {
		t.Errorf("%s does not sort before %s", a, b)
	}
	if v := a[6] >> 4; v != 7 {
		t.Errorf("version %d, want 7", v)
	}
}

// The vector is of RFC 9562, appendix A.4.
func TestNameID(t *testing.T) {
	t.Parallel()
	dns := [16]byte{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if got, want := inbox.NameID[inbox.ChannelID](dns, "www.example.com").UUID(), "2ed6657d-e927-568b-95e1-2665a8aea6a2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	chat := inbox.Channel{ID: inbox.ChannelID{1}, Provider: "telegram", Source: "telegram:1", ExternalID: "-100", Active: true}
	bot := inbox.Channel{ID: inbox.ChannelID{2}, Provider: "telegram", Source: "telegram:1", Active: true}
	other := inbox.Channel{ID: inbox.ChannelID{3}, Provider: "telegram", Source: "telegram:2", Active: true}
	fallback := inbox.Channel{ID: inbox.ChannelID{4}, Provider: "telegram", Default: true, Active: true}
	held := func(c inbox.Channel, account byte) inbox.Channel { c.AccountID = inbox.AccountID{account}; return c }
	off := func(c inbox.Channel) inbox.Channel { c.Active = false; return c }
	for name, c := range map[string]struct {
		channels []inbox.Channel
		target   string
		fallback bool
		want     inbox.ChannelID
		account  inbox.AccountID
	}{
		"the narrower wins":                                   {[]inbox.Channel{bot, chat, fallback}, "-100", false, chat.ID, inbox.AccountID{}},
		"every other chat goes to the bot's":                  {[]inbox.Channel{bot, chat, fallback}, "-200", false, bot.ID, inbox.AccountID{}},
		"an inactive one does not bind":                       {[]inbox.Channel{bot, off(chat)}, "-100", false, bot.ID, inbox.AccountID{}},
		"another bot's does not bind":                         {[]inbox.Channel{other}, "-100", false, inbox.ChannelID{}, inbox.AccountID{}},
		"nobody bound it":                                     {[]inbox.Channel{chat, fallback}, "-200", false, inbox.ChannelID{}, inbox.AccountID{}},
		"a write key falls back":                              {[]inbox.Channel{chat, fallback}, "-200", true, fallback.ID, inbox.AccountID{}},
		"a write key still prefers a binding":                 {[]inbox.Channel{fallback, bot}, "-200", true, bot.ID, inbox.AccountID{}},
		"of two accounts of one source, that which proved it": {[]inbox.Channel{held(bot, 1), held(chat, 2)}, "-100", false, bot.ID, inbox.AccountID{1}},
		"and no other's":                                      {[]inbox.Channel{held(bot, 1)}, "-100", false, inbox.ChannelID{}, inbox.AccountID{2}},
	} {
		cfg := inbox.Config{Channels: c.channels}
		got, ok := cfg.Bind("telegram", "telegram:1", c.account, c.target, c.fallback)
		if got.ID != c.want || ok != !c.want.IsZero() {
			t.Errorf("%s: bound %v (%v), want %v", name, got.ID, ok, c.want)
		}
	}
}
