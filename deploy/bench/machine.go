package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

// describeMachine says what the run runs on, the proxies included.
func describeMachine() figures.Machine {
	return figures.Describe(
		"nginx "+figures.OutputMatch(`nginx/(\S+)`, "nginx", "-v"),
		"HAProxy "+figures.OutputMatch(`HAProxy version (\S+)`, "haproxy", "-v"),
	)
}

// machineTime is the CPU time that the machine has spent, on anybody, since it started. What the host took counts too.
func machineTime() time.Duration {
	fields := strings.Fields(figures.FileMatch("/proc/stat", `^cpu +([0-9 ]+)`))
	var ticks time.Duration
	for i, field := range fields[:min(len(fields), 8)] { // user nice system idle iowait irq softirq steal
		n, _ := strconv.ParseInt(field, 10, 64)
		if i != 3 && i != 4 {
			ticks += time.Duration(n)
		}
	}
	return ticks * clockTick
}
