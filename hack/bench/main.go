// Command bench measures SocialOps against the bars that it has set itself, each
// beside something that shows what this machine can do: the same writes by
// pgbench, the bare query, a well-known job queue. `make bench` runs it.
//
// Everything runs on one Postgres of the bench's own: default settings, fsync
// and synchronous_commit on. Both sides of a pair take turns, each warmed up, on
// freshly truncated tables and after a CHECKPOINT, and the rows are counted
// afterwards. Of several pairs the medians are shown. A missed bar is no error,
// so that the table is always whole.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// measurement is one line of the plan; it may print several rows.
type measurement struct {
	name string
	what string
	run  func(context.Context, *bench) ([]Row, error)
}

// The plan. What needs the large data comes last, as it is kept from there on, and so
// is the operator's cluster.
var plan = []measurement{
	{"memory", "what an idle runtime takes, and how soon it is ready", measureIdle},
	{"ingest", "events from 64 connections", measureIngest64},
	{"latency", "events from one connection", measureIngest1},
	{"delivery", "replies delivered as fast as it goes", measureDelivery},
	{"pacing", "replies delivered at Telegram's pace", measurePacing},
	{"reply", "from a reply's acceptance to its arrival", measureReply},
	{"console-streams", "clients of the console's event stream", measureConsoleStreams},
	{"console-first", "the console's first view in a browser", measureConsoleFirst},
	{"console-open", "threads opened by key", measureConsoleOpen},
	{"console-scroll", "a long list scrolled", measureConsoleScroll},
	{"console-live", "messages that come in while somebody looks", measureConsoleLive},
	{"inbox", "pages of the inbox in a large database", measureInbox},
	{"rows", "rows visited for a page, filter by filter", measureRows},
	{"search", "search in a large database", measureSearch},
	{"operator-apply", "instances applied at once", measureOperatorApply},
	{"operator-latency", "one more instance, with many at rest", measureOperatorLatency},
	{"operator-rest", "many instances at rest", measureOperatorRest},
	{"operator-memory", "a large cluster that is mostly others'", measureOperatorMemory},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
}

func run(ctx context.Context) error {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder of the binaries socialops and bench-river")
	flag.StringVar(&o.dir, "dir", ".cache/bench", "folder for the database and logs; it should be on a disk")
	only := flag.String("only", "", "names of measurements or, as console, of what several begin with, with commas between; empty: all of them")
	size := flag.String("scale", "full", "full, or small: one short pair of each on little data, to see that it works")
	output := flag.String("o", "table", "table or json")
	flag.Parse()
	if *output != "table" && *output != "json" {
		return fmt.Errorf("-o %q: want table or json", *output)
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	var known bool
	if o.scale, known = scales[*size]; !known {
		return fmt.Errorf("-scale %q: want full or small", *size)
	}
	start := time.Now()
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	report := Report{Machine: b.machine(ctx), Scale: *size}
	failed := b.measure(ctx, chosen, &report)
	failed = errors.Join(failed, b.close(context.WithoutCancel(ctx)))
	report.Seconds = int(time.Since(start).Seconds())
	if *output == "json" {
		return errors.Join(failed, report.writeJSON(os.Stdout))
	}
	return errors.Join(failed, report.writeTable(os.Stdout))
}

// measure goes through the plan. What one measurement fails with keeps no other from its turn.
func (b *bench) measure(ctx context.Context, chosen []measurement, report *Report) error {
	var failed error
	for _, m := range chosen {
		if ctx.Err() != nil {
			return errors.Join(failed, context.Cause(ctx))
		}
		b.say("%s: %s", m.name, m.what)
		start := time.Now()
		rows, err := m.run(ctx, b)
		if err != nil {
			err = fmt.Errorf("%s: %w", m.name, err)
			b.say("%v", err)
			failed = errors.Join(failed, err)
		}
		for i := range rows {
			rows[i].Name = m.name
		}
		report.Rows = append(report.Rows, rows...)
		b.say("%s: took %s", m.name, time.Since(start).Round(time.Second))
	}
	return failed
}

func choose(only string) ([]measurement, error) {
	if only == "" {
		return plan, nil
	}
	wanted := map[string]bool{} // and whether it was found
	for name := range strings.SplitSeq(only, ",") {
		wanted[strings.TrimSpace(name)] = false
	}
	var chosen []measurement
	var names []string
	for _, m := range plan {
		names = append(names, m.name)
		group, _, _ := strings.Cut(m.name, "-")
		for _, name := range []string{m.name, group} {
			if _, is := wanted[name]; is {
				wanted[name] = true
				chosen = append(chosen, m)
				break
			}
		}
	}
	for name, found := range wanted {
		if !found {
			return nil, fmt.Errorf("-only: there is no measurement %q: want some of %s, or console or operator for all of its", name, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}
