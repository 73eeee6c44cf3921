// Package figures says what a bench ran on, and which goals its figures meet.
//
// What does not belong here: how anything is measured.
package figures

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// unknown stands for what the machine does not tell.
const unknown = "unknown"

// Machine is what a run ran on.
type Machine struct {
	Processor string   `json:"processor"`
	Cores     int      `json:"cores"` // that the run could use
	MemoryGB  float64  `json:"memory_gb"`
	System    string   `json:"system"`
	Versions  []string `json:"versions"` // of all that takes part
}

// Describe says what the run runs on, as far as the machine tells, with the versions of Lienthong and Go, and others
// that the caller knows.
func Describe(versions ...string) Machine {
	kilobytes, _ := strconv.ParseFloat(FileMatch("/proc/meminfo", `MemTotal:\s+(\d+) kB`), 64)
	return Machine{
		Processor: FileMatch("/proc/cpuinfo", `model name\s*: (.*)`),
		Cores:     runtime.NumCPU(),
		MemoryGB:  kilobytes * 1024 / 1e9,
		System:    "Linux " + FileMatch("/proc/version", `Linux version (\S+)`),
		Versions:  append([]string{"lienthong " + OutputMatch(`(\S+)`, "git", "describe", "--always", "--dirty"), runtime.Version()}, versions...),
	}
}

// String is the machine on one line.
func (m Machine) String() string {
	return fmt.Sprintf("%d cores of %s, %.0f GB, %s; %s", m.Cores, m.Processor, m.MemoryGB, m.System, strings.Join(m.Versions, ", "))
}

// LoadAverage is how many processes wanted to run in the last minute.
func LoadAverage() float64 {
	load, _ := strconv.ParseFloat(FileMatch("/proc/loadavg", `^(\S+)`), 64)
	return load
}

// FileMatch is the pattern's first group in a file; "unknown" if there is none.
func FileMatch(path, pattern string) string {
	raw, _ := os.ReadFile(path)
	return firstMatch(string(raw), pattern)
}

// OutputMatch is the pattern's first group in what a command prints; "unknown" if there is none.
func OutputMatch(pattern, command string, args ...string) string {
	out, _ := exec.Command(command, args...).CombinedOutput()
	return firstMatch(string(out), pattern)
}

func firstMatch(text, pattern string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return unknown
	}
	return strings.TrimSpace(found[1])
}
