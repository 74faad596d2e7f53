package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// params are a statement's parameters. The first is the instance, always.
type params []any

// add puts a value in and returns how the statement names it. Values reach SQL in
// no other way.
func (p *params) add(v any) string {
	*p = append(*p, v)
	return "$" + strconv.Itoa(len(*p))
}

// order is what a list goes by, newest first.
type order int

const (
	byActivity order = iota
	byID
)

// criteria is a checked [inbox.Filter]. A zero field lets everything pass.
type criteria struct {
	statuses []inbox.Status // in the order of [inbox.Statuses], none twice
	priority inbox.Priority
	provider string
	assignee assignee
	label    string
	words    string
}

// assignee is whose threads are wanted: one agent's, by id or subject, or nobody's.
type assignee struct {
	id      inbox.AgentID
	subject string
	nobody  bool
}

func newCriteria(f inbox.Filter) (criteria, error) {
	c := criteria{priority: f.Priority, provider: clean(f.Provider), label: clean(f.Label), words: clean(f.Query)}
	for _, s := range f.Statuses {
		if !s.Valid() {
			return c, inbox.Errorf(inbox.CodeInvalid, "status: want some of %v", inbox.Statuses)
		}
	}
	for _, s := range inbox.Statuses {
		if slices.Contains(f.Statuses, s) {
			c.statuses = append(c.statuses, s)
		}
	}
	if len(c.statuses) == len(inbox.Statuses) {
		c.statuses = nil
	}
	if f.Priority != "" && !f.Priority.Valid() {
		return c, inbox.Errorf(inbox.CodeInvalid, "priority: want one of %v", inbox.Priorities)
	}
	subject, named := strings.CutPrefix(f.Assignee, "sub:")
	switch {
	case f.Assignee == "":
	case f.Assignee == "none":
		c.assignee.nobody = true
	case named && subject != "":
		c.assignee.subject = clean(subject)
	default:
		if err := c.assignee.id.UnmarshalText([]byte(f.Assignee)); err != nil {
			return c, inbox.Errorf(inbox.CodeInvalid, `assignee: want an agent's id, "sub:" and an OIDC subject, or "none"`)
		}
	}
	return c, nil
}

func checkPage(p inbox.Page) error {
	if p.Limit < 1 || p.Limit > maxLimit || p.Offset < 0 {
		return inbox.Errorf(inbox.CodeInvalid, "limit: want 1 to %d", maxLimit)
	}
	if p.Offset > inbox.MaxOffset {
		return inbox.Errorf(inbox.CodeInvalid, "page: reaches %d items deep at most: walk on with a cursor", inbox.MaxOffset)
	}
	return nil
}

// maxLimit bounds a page, whoever asks.
const maxLimit = 1000

// The conditions below are on the columns of thread_state, under a table's alias.

func (c criteria) onStatus(p *params, t string) string {
	names := make([]string, len(c.statuses))
	for i, s := range c.statuses {
		names[i] = string(s)
	}
	return fmt.Sprintf("%s.status = ANY (%s::text[])", t, p.add(names))
}

func (c criteria) onAssignee(p *params, t string) string {
	switch {
	case c.assignee.nobody:
		return t + ".assignee_id IS NULL"
	case c.assignee.subject != "":
		return fmt.Sprintf("%s.assignee_id = (SELECT a.id FROM agent a WHERE a.instance_id = $1 AND a.subject = %s)", t, p.add(c.assignee.subject))
	default:
		return fmt.Sprintf("%s.assignee_id = %s", t, p.add(c.assignee.id))
	}
}

// onState is every condition on thread_state.
func (c criteria) onState(p *params, t string) []string {
	var on []string
	if c.statuses != nil {
		on = append(on, c.onStatus(p, t))
	}
	if c.priority != "" {
		on = append(on, fmt.Sprintf("%s.priority = %s", t, p.add(string(c.priority))))
	}
	if c.provider != "" {
		on = append(on, fmt.Sprintf("%s.provider = %s", t, p.add(c.provider)))
	}
	if c.assignee != (assignee{}) {
		on = append(on, c.onAssignee(p, t))
	}
	return on
}

// ofState tells whether there is a condition on thread_state.
func (c criteria) ofState() bool {
	return c.statuses != nil || c.priority != "" || c.provider != "" || c.assignee != (assignee{})
}

// none tells whether everything passes.
func (c criteria) none() bool { return !c.ofState() && c.label == "" && c.words == "" }
