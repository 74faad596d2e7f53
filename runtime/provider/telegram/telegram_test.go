package telegram

import (
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/open4x/socialops/runtime/provider"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	hash := func(s string) [32]byte { return sha256.Sum256([]byte(s)) }
	proofs := []provider.Proof{
		{Source: "telegram:1", TokenHashes: [][32]byte{hash("one")}},
		{Source: "telegram:2", TokenHashes: [][32]byte{hash("old"), hash("new")}},
		{Source: "telegram:3"},
		{Source: "telegram:4", TokenHashes: [][32]byte{hash("")}}, // a secret that was never set
	}
	for header, want := range map[string]string{
		"one": "telegram:1", "old": "telegram:2", "new": "telegram:2",
		"": "", "One": "", "onex": "", "on": "", string(proofs[0].TokenHashes[0][:]): "",
	} {
		r := &provider.Request{Header: http.Header{}}
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", header)
		got, ok := New(Options{}).Authenticate(r, proofs)
		if got.Source != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", header, got.Source, ok, want)
		}
	}
	if _, ok := New(Options{}).Authenticate(&provider.Request{Header: http.Header{}}, proofs); ok {
		t.Error("no header passes")
	}
	if _, ok := New(Options{}).Authenticate(&provider.Request{}, nil); ok {
		t.Error("no proofs pass")
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	account := 34500 * time.Microsecond
	for thread, want := range map[string]provider.Pace{
		"7":          {Account: account, Conversation: time.Second, ConversationKey: "7"},
		"7:3":        {Account: account, Conversation: time.Second, ConversationKey: "7"},
		"-100123":    {Account: account, Conversation: 3 * time.Second, ConversationKey: "-100123"},
		"-100123:9":  {Account: account, Conversation: 3 * time.Second, ConversationKey: "-100123"},
		"-1001:dm77": {Account: account, Conversation: 3 * time.Second, ConversationKey: "-1001"},
		"else":       {Account: account, Conversation: 3 * time.Second, ConversationKey: "else"},
	} {
		if got := New(Options{}).Pace(thread); got != want {
			t.Errorf("%s: %+v, want %+v", thread, got, want)
		}
	}
	if got := New(Options{Paces: &Paces{}}).Pace("7"); got.Account != 0 || got.Conversation != 0 {
		t.Errorf("pacing can't be switched off: %+v", got)
	}
	if perSecond := time.Second / account; perSecond < 28 || perSecond >= 30 {
		t.Errorf("%d a second", perSecond)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"7", "-1001234567890", "-1001234567890:42", "7:1", "-100:dm6012345678", "9223372036854775807"} {
		if a, ok := parseAddress(s); !ok || a.String() != s {
			t.Errorf("%s reads as %s, %v", s, a, ok)
		}
	}
	for _, s := range []string{"", "0", "x", "@name", "7:", "7:0", "7:-1", "7:x", "7:1:2", "7:dm", "9223372036854775808", " 7"} {
		if a, ok := parseAddress(s); ok {
			t.Errorf("%q reads as %s", s, a)
		}
	}
	for _, s := range []string{"", "7", "7:", "7:0", "7:-1", "callback:12", "7:1:2", "x:1"} {
		if _, _, ok := parseMessageID(s); ok {
			t.Errorf("%q reads as a message", s)
		}
	}
}
