package main

import (
	"os"
	"runtime/debug"
)

// collectPercent lets the heap grow to nine times what is live before it is collected. What is live is small, some
// twenty megabytes, so collecting at the default of twice costs a tenth of the hub's time and saves little memory.
const collectPercent = 800

// collectLess sets the collector's pace, unless the operator did by GOGC.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
}
