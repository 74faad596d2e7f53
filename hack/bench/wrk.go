package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	_ "embed"
)

//go:embed load.lua
var loadScript []byte

// load is what wrk is asked for.
type load struct {
	url         string
	connections int
	duration    time.Duration
	run         string // set: post events that no other run posts
	extra       string // more fields of each event
}

// loaded is what wrk saw.
type loaded struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Refused  int64   `json:"refused"` // answers of 400 and above
	Broken   int64   `json:"broken"`  // connections
	Timeouts int64   `json:"timeouts"`
	MeanMS   float64 `json:"mean_ms"`
	P50MS    float64 `json:"p50_ms"`
	P99MS    float64 `json:"p99_ms"`
}

func (l loaded) perSecond() float64 { return float64(l.Requests) / l.Seconds }

// wrk makes load, and fails when a single request did.
func (b *bench) wrk(ctx context.Context, l load) (loaded, error) {
	script := filepath.Join(b.dir, "load.lua")
	if err := os.WriteFile(script, loadScript, 0o600); err != nil {
		return loaded{}, fmt.Errorf("writing wrk's script: %w", err)
	}
	cmd := exec.CommandContext(ctx, "wrk", "-t1", "-c"+strconv.Itoa(l.connections), "-d"+seconds(l.duration)+"s", "--timeout", "10s", "-s", script, l.url)
	cmd.Env = append(os.Environ(), "BENCH_KEY="+b.tenant.key)
	if l.run != "" {
		cmd.Env = append(cmd.Env, "BENCH_EVENTS=1", "BENCH_RUN="+l.run, "BENCH_EXTRA="+l.extra)
	}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return loaded{}, fmt.Errorf("wrk: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	_, line, found := bytes.Cut(out, []byte("\nbench "))
	var got loaded
	if !found {
		return got, fmt.Errorf("wrk ended without figures:\n%s", out)
	}
	if err := json.Unmarshal(line, &got); err != nil {
		return got, fmt.Errorf("reading wrk's figures: %w", err)
	}
	if got.Refused+got.Broken+got.Timeouts > 0 || got.Requests == 0 {
		return got, fmt.Errorf("of %d requests %d were refused and %d not answered in time, and %d connections broke", got.Requests, got.Refused, got.Timeouts, got.Broken)
	}
	return got, nil
}

// seconds is a whole number of them, as wrk and pgbench want it.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second)))
}
