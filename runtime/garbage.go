package runtime

import (
	"os"
	"runtime/debug"
)

// garbagePercent lets garbage grow to this many percent of what is in use before it
// is collected. What a server or a worker has in use is a few MB, so that the usual
// 100 has it collect after every dozen of requests, for a sixth of its time.
const garbagePercent = 300

// collectLess is for a process that serves or delivers and does nothing else. GOGC
// in its environment wins; GOMEMLIMIT bounds it all the same.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
