package billing

import (
	"fmt"

	"github.com/open4x/socialops/runtime/inbox"
)

// Problem is something that does not add up in an instance's books.
type Problem struct {
	Instance inbox.InstanceID
	Alias    string
	What     string
}

func (p Problem) String() string { return p.Alias + ": " + p.What }

// Check tells what does not add up: a balance that is not the sum of its entries,
// a refund of nothing, a failed reply that is still charged, one charged twice.
func Check(books []inbox.Book) []Problem {
	var problems []Problem
	for _, b := range books {
		say := func(format string, args ...any) {
			problems = append(problems, Problem{Instance: b.Instance, Alias: b.Alias, What: fmt.Sprintf(format, args...)})
		}
		var sum inbox.MicroUSD
		for _, kind := range inbox.EntryKinds {
			sum += b.Entries[kind].Sum
		}
		if sum != b.Balance {
			say("the balance is %s USD and its entries add up to %s USD", Format(b.Balance), Format(sum))
		}
		for _, c := range []struct {
			n    int
			what string
		}{
			{b.StrayRefunds, "refunds take back no charge of their amount"},
			{b.ChargedFailures, "failed replies are still charged"},
			{b.DoubleCharges, "replies are charged more than once"},
		} {
			if c.n > 0 {
				say("%d %s", c.n, c.what)
			}
		}
	}
	return problems
}
