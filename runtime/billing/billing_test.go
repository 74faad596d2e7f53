package billing_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/open4x/socialops/runtime/billing"
	"github.com/open4x/socialops/runtime/inbox"
)

func TestParseAndFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		want  inbox.MicroUSD
		short string // as Format writes it; empty: as it came
	}{
		{"0.0002", 200, ""},
		{"0", 0, ""},
		{"-0", 0, "0"},
		{"1", 1_000_000, ""},
		{"1.50", 1_500_000, "1.5"},
		{"0.000001", 1, ""},
		{"-12.5", -12_500_000, ""},
		{"007.100000", 7_100_000, "7.1"},
		{"9223372036854.775807", math.MaxInt64, ""},
		{"-9223372036854.775807", -math.MaxInt64, ""},
		{"10", 10_000_000, ""},
		{"100.01", 100_010_000, ""},
	} {
		got, err := billing.Parse(c.text)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %d, %v; want %d", c.text, got, err, c.want)
		}
		if c.short == "" {
			c.short = c.text
		}
		if got := billing.Format(c.want); got != c.short {
			t.Errorf("Format(%d) = %q, want %q", c.want, got, c.short)
		}
	}
	if got := billing.Format(math.MinInt64); got != "-9223372036854.775808" {
		t.Errorf("Format of the least amount = %q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", "--1", "1.2.3", "0.0000001", "1e3", "0x10", " 1", "1 ", "1,5", "$1", "1_000",
		"٣", "NaN", "9223372036854.775808", strings.Repeat("9", 40),
	} {
		if m, err := billing.Parse(text); !errors.Is(err, billing.ErrPrice) {
			t.Errorf("Parse(%q) = %d, %v; want ErrPrice", text, m, err)
		}
	}
	if _, err := billing.ParsePrice("-0.0002"); !errors.Is(err, billing.ErrPrice) {
		t.Errorf("a negative price was taken: %v", err)
	}
	if m, err := billing.ParsePrice("0.0002"); err != nil || m != 200 {
		t.Errorf("ParsePrice = %d, %v", m, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0.0002", "-1.5", "", "9223372036854.775807", "1.2.3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := billing.Parse(text)
		if err != nil {
			return
		}
		if again, err := billing.Parse(billing.Format(m)); err != nil || again != m {
			t.Errorf("%q is %d, written %q, read %d, %v", text, m, billing.Format(m), again, err)
		}
	})
}

func TestRefund(t *testing.T) {
	t.Parallel()
	charge := billing.Entry{Reference: "reply:x:0", Kind: inbox.EntryReply, Amount: -500}
	refund, err := billing.Refund(charge)
	if want := (billing.Entry{Reference: "refund:reply:x:0", Kind: inbox.EntryRefund, Amount: 500}); err != nil || refund != want {
		t.Errorf("refund %+v, %v; want %+v", refund, err, want)
	}
	if of, ok := billing.Refunded(refund.Reference); !ok || of != charge.Reference {
		t.Errorf("the refund is of %q, %v", of, ok)
	}
	for _, e := range []billing.Entry{
		refund,
		{Reference: "inbound:x", Kind: inbox.EntryInbound, Amount: -200},
		{Reference: "credit:x", Kind: inbox.EntryCredit, Amount: 200},
	} {
		if _, err := billing.Refund(e); !errors.Is(err, billing.ErrNoRefund) {
			t.Errorf("%s was refunded: %v", e.Reference, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sums := func(reply, refund inbox.MicroUSD) map[inbox.EntryKind]inbox.EntrySum {
		return map[inbox.EntryKind]inbox.EntrySum{
			inbox.EntryCredit: {Count: 1, Sum: 1000}, inbox.EntryReply: {Count: 2, Sum: reply}, inbox.EntryRefund: {Count: 1, Sum: refund},
		}
	}
	var got []string
	for _, p := range billing.Check([]inbox.Book{
		{Alias: "good", Balance: 500, Entries: sums(-1000, 500)},
		{Alias: "off", Balance: 501, Entries: sums(-1000, 500)},
		{Alias: "bad", Entries: sums(-1000, 0), StrayRefunds: 1, ChargedFailures: 2, DoubleCharges: 3},
	}) {
		got = append(got, p.String())
	}
	want := []string{
		"off: the balance is 0.000501 USD and its entries add up to 0.0005 USD",
		"bad: 1 refunds take back no charge of their amount",
		"bad: 2 failed replies are still charged",
		"bad: 3 replies are charged more than once",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
