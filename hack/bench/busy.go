package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// quiet is how much of the machine others may use for the figures to mean something.
const quiet = 0.1

// busy warns when others are at work on the machine, before the bench begins to be.
func busy(ctx context.Context) string {
	used, all := cpuTicks()
	select {
	case <-ctx.Done():
		return ""
	case <-time.After(time.Second):
	}
	usedNow, allNow := cpuTicks()
	if allNow == all {
		return "" // nobody tells here
	}
	if share := float64(usedNow-used) / float64(allNow-all); share > quiet {
		return fmt.Sprintf(", %.0f %% BUSY WITH OTHER WORK at the start, so that the figures say little", share*100)
	}
	return ""
}

// cpuTicks is how long the processors have worked and have been there, in sum.
func cpuTicks() (used, all int64) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i > 8 { // the name; guests' time is in user's
			continue
		}
		all += n
		if i != 4 && i != 5 { // idle, waiting for a disk
			used += n
		}
	}
	return used, all
}
