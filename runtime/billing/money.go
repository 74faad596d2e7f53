// Package billing is the rules of money: how prices are written, what an entry of
// the ledger is called, what a refund may be, and how books are checked. Amounts
// are whole micro-USD. The entries themselves are written where the rows are
// (runtime/postgres), in the same transaction as what they are for.
package billing

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

const (
	micros     = 1_000_000 // in a US dollar
	fractional = 6         // digits after the point
)

// ErrPrice means that a text is no amount of money.
var ErrPrice = errors.New(`not an amount in US dollars: write it like "0.0002", with at most 6 digits after the point`)

// Parse reads an amount in US dollars, such as "0.0002" or "-12.5", exactly.
func Parse(text string) (inbox.MicroUSD, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if whole == "" || pointed && fraction == "" || len(fraction) > fractional || !decimal(whole) || !decimal(fraction) {
		return 0, ErrPrice
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", fractional-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w; this one is too large", ErrPrice)
	}
	if negative {
		n = -n
	}
	return inbox.MicroUSD(n), nil
}

// ParsePrice reads an amount that is not negative.
func ParsePrice(text string) (inbox.MicroUSD, error) {
	m, err := Parse(text)
	if err == nil && m < 0 {
		return 0, fmt.Errorf("%w; a price is not negative", ErrPrice)
	}
	return m, err
}

func decimal(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// Format writes an amount in US dollars, as short as it is exact: "0.0002", "3".
func Format(m inbox.MicroUSD) string {
	sign, n := "", uint64(m) //nolint:gosec // of a negative amount the magnitude is taken next
	if m < 0 {
		sign = "-"
		if m == math.MinInt64 {
			n = 1 << 63
		} else {
			n = uint64(-m)
		}
	}
	text := fmt.Sprintf("%s%d.%06d", sign, n/micros, n%micros)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
