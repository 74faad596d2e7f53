package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is everything that was found.
type Report struct {
	Machine string `json:"machine"`
	Scale   string `json:"scale"`
	Seconds int    `json:"seconds"`
	Rows    []Row  `json:"rows"`
}

// Row is one figure and its bar.
type Row struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Unit    string  `json:"unit"`
	Ours    float64 `json:"ours"`              // median
	Other   string  `json:"other,omitempty"`   // what it is compared with
	Against float64 `json:"against,omitempty"` // median
	Ratio   float64 `json:"ratio,omitempty"`   // median of the pairs' ratios
	Bar     string  `json:"bar,omitempty"`     // empty: for information
	Met     bool    `json:"met"`
	Pairs   []Pair  `json:"pairs"`
	Note    string  `json:"note,omitempty"`
}

// Pair is one run of both sides, one after the other.
type Pair struct {
	Ours    float64 `json:"ours"`
	Against float64 `json:"against,omitempty"`
}

// alone makes a row of runs that are compared with nothing.
func alone(what, unit string, runs []float64) Row {
	r := Row{What: what, Unit: unit, Ours: median(runs)}
	for _, v := range runs {
		r.Pairs = append(r.Pairs, Pair{Ours: v})
	}
	return r
}

// paired makes a row of pairs.
func paired(what, unit, other string, pairs []Pair) Row {
	r := Row{What: what, Unit: unit, Other: other, Pairs: pairs}
	r.Ours = median(each(pairs, func(p Pair) float64 { return p.Ours }))
	r.Against = median(each(pairs, func(p Pair) float64 { return p.Against }))
	r.Ratio = median(each(pairs, func(p Pair) float64 { return p.Ours / p.Against }))
	return r
}

func each(pairs []Pair, f func(Pair) float64) []float64 {
	values := make([]float64, len(pairs))
	for i, p := range pairs {
		values[i] = f(p)
	}
	return values
}

func (r Row) bar(text string, met bool) Row {
	r.Bar, r.Met = text, met
	return r
}

func (r Row) note(format string, args ...any) Row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

func (r *Report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

func (r *Report) writeTable(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s; scale %s; %d s\n\n", r.Machine, r.Scale, r.Seconds)
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MEASURED\tOURS\tAGAINST\tRATIO\tBAR\t")
	missed := 0
	for _, row := range r.Rows {
		against, ratio, verdict := "", "", ""
		if row.Other != "" {
			against = number(row.Against) + " " + row.Unit + " " + row.Other
			ratio = fmt.Sprintf("%.2f", row.Ratio)
		}
		switch {
		case row.Bar == "":
		case row.Met:
			verdict = "met"
		default:
			missed++
			verdict = "MISSED"
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s\t%s\t%s\t%s\n", row.What, number(row.Ours), row.Unit, against, ratio, row.Bar, verdict)
	}
	_ = t.Flush() // into memory
	out.WriteString("\nFigures are medians; a ratio is the median of the pairs' ratios.\n")
	for _, row := range r.Rows {
		if row.Note != "" {
			fmt.Fprintf(&out, "%s: %s.\n", row.What, row.Note)
		}
		if row.Bar != "" && !row.Met {
			fmt.Fprintf(&out, "MISSED: %s: %s %s", row.What, number(row.Ours), row.Unit)
			if row.Other != "" {
				fmt.Fprintf(&out, ", %.3f × %s", row.Ratio, row.Other)
			}
			fmt.Fprintf(&out, "; the bar is %s\n", row.Bar)
		}
	}
	if missed > 0 {
		fmt.Fprintf(&out, "%d of the bars were missed.\n", missed)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

// number shows three digits that count.
func number(v float64) string {
	switch {
	case v >= 1000:
		s := fmt.Sprintf("%.0f", v)
		return s[:len(s)-3] + "," + s[len(s)-3:]
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// percentile is the value that a share of all stays at or below.
func percentile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
