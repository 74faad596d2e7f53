package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// idleFor is how long a runtime has done nothing when its memory is read.
const idleFor = 2 * time.Second

func measureIdle(ctx context.Context, b *bench) ([]Row, error) {
	var memory, ready []float64
	for range b.scale.starts {
		mb, after, err := b.idle(ctx)
		if err != nil {
			return nil, err
		}
		b.say("  %.1f MB of anonymous memory, ready after %s", mb, after.Round(time.Millisecond))
		memory, ready = append(memory, mb), append(ready, after.Seconds()*1000)
	}
	m := alone("idle runtime of one alias: RssAnon", "MB", memory)
	r := alone("a runtime's start to ready", "ms", ready)
	m.Note = fmt.Sprintf("the most of %d starts was %.1f", len(memory), slices.Max(memory))
	r.Note = fmt.Sprintf("the longest of %d starts took %.0f", len(ready), slices.Max(ready))
	return []Row{m.bar("≤ 15 MB", m.Ours <= 15), r.bar("≤ 300 ms", r.Ours <= 300)}, nil
}

func (b *bench) idle(ctx context.Context) (mb float64, ready time.Duration, err error) {
	p, err := b.runtime(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	select {
	case <-ctx.Done():
		return 0, 0, context.Cause(ctx)
	case <-time.After(idleFor):
	}
	mb, err = anonymousMB(p.cmd.Process.Pid)
	return mb, p.ready, err
}

// anonymousMB is a process's resident anonymous memory, in units of 10⁶ bytes.
func anonymousMB(pid int) (float64, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("reading the process's memory (this needs Linux): %w", err)
	}
	return statusMB(string(status), "RssAnon:")
}

// statusMB reads an amount of a process's status, in units of 10⁶ bytes.
func statusMB(status, field string) (float64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, field); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				return 0, fmt.Errorf("reading the process's memory: %w", err)
			}
			return float64(kb) * 1024 / 1e6, nil
		}
	}
	return 0, fmt.Errorf("reading the process's memory: its status has no %s", strings.TrimSuffix(field, ":"))
}
