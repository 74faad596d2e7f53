package postgres

import (
	"fmt"
	"strings"

	"github.com/open4x/socialops/runtime/inbox"
)

// walk reads an instance's threads in a list's order from an index that has them
// in that order: one scan for each status that the criteria leave open, merged. So
// it reads no more threads than are asked of it.
type walk struct {
	order order
	table string
	scans []string // the conditions of each scan
	after string   // the condition on where the page begins; empty: at the start
	rest  criteria // what the scans leave to be checked, thread by thread
	whole bool     // all of stateColumns are wanted: the table is thread_state
}

// newWalk picks the index for the criteria. Where several would do, it takes the
// one that likely leaves least to be checked.
func newWalk(o order, c criteria, after *inbox.Position, p *params) walk {
	w := walk{order: o, table: "thread_state", rest: c}
	if after != nil {
		w.after = o.after("", after, p)
	}
	if o == byID {
		w.scans = []string{""}
		return w
	}
	statuses := c.statuses
	if statuses == nil {
		statuses = inbox.Statuses
	}
	w.rest.statuses = nil
	lead := "" // the condition that together with a status leads the index
	switch {
	case c.assignee != (assignee{}) && (!c.assignee.nobody || c.label == ""):
		lead = " AND " + c.onAssignee(p, "thread_state")
		w.rest.assignee = assignee{}
	case c.label != "":
		w.table = "thread_label"
		lead = " AND label = " + p.add(c.label)
		w.rest.label = ""
	case c.provider != "" && (c.priority == "" || c.priority == inbox.Normal):
		lead = " AND provider = " + p.add(c.provider)
		w.rest.provider = ""
	case c.priority != "":
		lead = " AND priority = " + p.add(string(c.priority))
		w.rest.priority = ""
	}
	for _, s := range statuses {
		w.scans = append(w.scans, " AND status = "+p.add(string(s))+lead)
	}
	return w
}

// newGathering is a walk whose order does not matter, as all of it is wanted.
func newGathering(c criteria, p *params) walk {
	if c.words == "" {
		return newWalk(byActivity, c, nil, p)
	}
	w := walk{table: "thread_state", rest: c}
	w.scans = []string{fmt.Sprintf(" AND thread_id = ANY ((SELECT ARRAY(SELECT search_threads(%s)))::uuid[])", p.add(c.words))}
	w.rest.words = ""
	return w
}

// after is the condition that a thread comes after a position, on the columns of
// a table's alias and dot.
func (o order) after(t string, at *inbox.Position, p *params) string {
	if o == byID {
		return fmt.Sprintf(" AND %sthread_id < %s", t, p.add(uid(at.ID)))
	}
	return fmt.Sprintf(" AND (%slast_activity_at, %sthread_id) < (%s, %s)", t, t, p.add(at.At), p.add(uid(at.ID)))
}

// clause is the order over thread_id and last_activity_at of a table's alias.
func (o order) clause(t string) string {
	if o == byID {
		return t + ".thread_id DESC"
	}
	return t + ".last_activity_at DESC, " + t + ".thread_id DESC"
}

// columns are what the order and the checks need, or the list shows.
func (w walk) columns() string {
	if w.whole {
		return stateColumns
	}
	if w.table == "thread_state" && w.rest.ofState() {
		return "thread_id, last_activity_at, status, priority, provider, assignee_id"
	}
	return "thread_id, last_activity_at"
}

// sql is the first n threads of the walk, unchecked. Each scan has order and limit
// of its own: without them Postgres would not see that it is ordered, read all of
// it and sort.
func (w walk) sql(n int) string {
	scans := make([]string, len(w.scans))
	for i, conditions := range w.scans {
		scans[i] = fmt.Sprintf("(SELECT %s FROM %s WHERE instance_id = $1%s%s ORDER BY %s LIMIT %d)",
			w.columns(), w.table, conditions, w.after, w.order.clause(w.table), n)
	}
	if len(scans) == 1 {
		return scans[0][1 : len(scans[0])-1]
	}
	return fmt.Sprintf("SELECT * FROM (%s) merged ORDER BY %s LIMIT %d", strings.Join(scans, "\nUNION ALL "), w.order.clause("merged"), n)
}

// all is every thread of the walk, unchecked, in no order.
func (w walk) all() string {
	scans := make([]string, len(w.scans))
	for i, conditions := range w.scans {
		scans[i] = fmt.Sprintf("SELECT %s FROM %s WHERE instance_id = $1%s", w.columns(), w.table, conditions)
	}
	return strings.Join(scans, "\nUNION ALL ")
}

// checked is the ids of the first want threads of the walk that pass the checks,
// among its first n.
func (w walk) checked(n, want int, p *params) string {
	joins, on := w.rest.checks(w.table == "thread_state", p)
	return fmt.Sprintf("SELECT w.thread_id FROM (%s) w%s\n WHERE true%s ORDER BY %s LIMIT %d", w.sql(n), joins, on, w.order.clause("w"), want)
}

// checks look at one thread after the other of a subquery w, which has the columns
// of thread_state or gets them from a join. OFFSET 0 makes a check a lookup for each
// thread, until there are enough, and nothing else.
func (c criteria) checks(has bool, p *params) (joins, on string) {
	state := "w"
	if !has && c.ofState() {
		state = "s"
		joins += `
  CROSS JOIN LATERAL (SELECT x.status, x.priority, x.provider, x.assignee_id
                        FROM thread_state x WHERE x.instance_id = $1 AND x.thread_id = w.thread_id OFFSET 0) s`
	}
	for _, condition := range c.onState(p, state) {
		on += " AND " + condition
	}
	if c.label != "" {
		joins += fmt.Sprintf(`
  CROSS JOIN LATERAL (SELECT FROM thread_label x WHERE x.instance_id = $1 AND x.thread_id = w.thread_id AND x.label = %s OFFSET 0) l`, p.add(c.label))
	}
	if c.words != "" {
		joins += fmt.Sprintf(`
  CROSS JOIN LATERAL (SELECT FROM thread x WHERE x.instance_id = $1 AND x.id = w.thread_id
                         AND x.tsv @@ (SELECT websearch_to_tsquery('simple', %s)) OFFSET 0) t`, p.add(c.words))
	}
	return joins, on
}
