package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/open4x/socialops/controllers/kubetest"
)

// flipsPerSecond is how many Deployments' status changes in a second without meaning
// anything, as it does on a busy cluster.
const flipsPerSecond = 10

// measureOperatorRest leaves the operator alone with instances that are as they should be.
func measureOperatorRest(ctx context.Context, b *bench) ([]Row, error) {
	f, err := b.settle(ctx)
	if err != nil {
		return nil, err
	}
	mark, err := f.cluster.Mark()
	if err != nil {
		return nil, err
	}
	pid := f.operator.cmd.Process.Pid
	before, err := cpuTime(pid)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	flipping, cancel := context.WithTimeout(ctx, b.scale.rest)
	defer cancel()
	flips, err := kubetest.Flip(flipping, f.cluster.Config, "", flipsPerSecond)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	after, err := cpuTime(pid)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	writes, err := f.cluster.Writes(ctx, operatorUser, mark)
	if err != nil {
		return nil, err
	}
	if least := int(took.Seconds() * flipsPerSecond * 0.9); flips < least {
		return nil, fmt.Errorf("only %d flips of Deployments' status in %s, want %d", flips, took, least)
	}
	w := alone(fmt.Sprintf("%d instances at rest for %s: writes to the API server", b.scale.instances, b.scale.rest), "writes", []float64{float64(len(writes))})
	w = w.note("%d changes of Deployments' status meanwhile", flips)
	if len(writes) > 0 {
		w = w.note("the first was to %s", writes[0])
	}
	share := 100 * (after - before).Seconds() / took.Seconds()
	cpu := alone(fmt.Sprintf("%d instances at rest: CPU", b.scale.instances), "% of a core", []float64{share})
	return []Row{w.bar("0 but its Lease", len(writes) == 0), cpu.bar("≤ 1 % of a core", share <= 1)}, nil
}

// cpuTime is what a process has used of all processors together, as fine as 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("reading the process's times (this needs Linux): %w", err)
	}
	// The name, which comes before, is in parentheses and may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const utime, stime, ticksPerSecond = 11, 12, 100
	if len(fields) <= stime {
		return 0, errors.New("reading the process's times: too few fields")
	}
	user, err1 := strconv.ParseInt(fields[utime], 10, 64)
	system, err2 := strconv.ParseInt(fields[stime], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("reading the process's times: %w", err)
	}
	return time.Duration(user+system) * time.Second / ticksPerSecond, nil
}
