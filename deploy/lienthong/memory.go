package main

import (
	"os"
	"runtime/debug"
)

// collectPercent lets the heap grow to five times what is live before it is collected. What is live is small, some
// twenty megabytes, so collecting at the default of twice costs a quarter of the hub's calls; a larger heap costs
// them too, for it no longer fits the processor's cache.
const collectPercent = 400

// collectLess sets the collector's pace, unless the operator did by GOGC.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}
