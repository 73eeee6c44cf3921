package main

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// describeMachine says what the run runs on, as far as the machine tells.
func describeMachine() machine {
	kilobytes, _ := strconv.ParseFloat(fileMatch("/proc/meminfo", `MemTotal:\s+(\d+) kB`), 64)
	return machine{
		Processor: fileMatch("/proc/cpuinfo", `model name\s*: (.*)`),
		Cores:     runtime.NumCPU(),
		MemoryGB:  kilobytes * 1024 / 1e9,
		System:    "Linux " + fileMatch("/proc/version", `Linux version (\S+)`),
		Versions: []string{
			"lienthong " + outputMatch(`(\S+)`, "git", "describe", "--always", "--dirty"),
			runtime.Version(),
			"nginx " + outputMatch(`nginx/(\S+)`, "nginx", "-v"),
			"HAProxy " + outputMatch(`HAProxy version (\S+)`, "haproxy", "-v"),
		},
	}
}

// loadAverage is how many processes wanted to run in the last minute.
func loadAverage() float64 {
	load, _ := strconv.ParseFloat(fileMatch("/proc/loadavg", `^(\S+)`), 64)
	return load
}

// machineTime is the CPU time that the machine has spent, on anybody, since it started. What the host took counts too.
func machineTime() time.Duration {
	fields := strings.Fields(fileMatch("/proc/stat", `^cpu +([0-9 ]+)`))
	var ticks time.Duration
	for i, field := range fields[:min(len(fields), 8)] { // user nice system idle iowait irq softirq steal
		n, _ := strconv.ParseInt(field, 10, 64)
		if i != 3 && i != 4 {
			ticks += time.Duration(n)
		}
	}
	return ticks * clockTick
}

func fileMatch(path, pattern string) string {
	raw, _ := os.ReadFile(path)
	return firstMatch(string(raw), pattern)
}

func outputMatch(pattern, command string, args ...string) string {
	out, _ := exec.Command(command, args...).CombinedOutput()
	return firstMatch(string(out), pattern)
}

func firstMatch(text, pattern string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return "unknown"
	}
	return strings.TrimSpace(found[1])
}
