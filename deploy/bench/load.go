package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/catalog"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// Callers share connections, as the threads of agencies' systems do: one connection for every four, so that every
// worker of a proxy has some.
const (
	judgedCallers     = 64 // at which the goals are judged
	callersPerChannel = 4
)

// load makes calls with ghz.
type load struct {
	ghz string
	dir string // where the questions are
}

// outcome is what ghz reports of a run.
type outcome struct {
	Count     int            `json:"count"`
	RPS       float64        `json:"rps"`
	Errors    map[string]int `json:"errorDistribution"`
	Statuses  map[string]int `json:"statusCodeDistribution"`
	Latencies []struct {
		Percentage int           `json:"percentage"`
		Latency    time.Duration `json:"latency"`
	} `json:"latencyDistribution"`

	cpu time.Duration // that ghz took
}

// percentile is a latency in milliseconds.
func (o *outcome) percentile(percentage int) float64 {
	for _, l := range o.Latencies {
		if l.Percentage == percentage {
			return float64(l.Latency) / float64(time.Millisecond)
		}
	}
	return 0
}

// judge fails unless there were calls and all of them were answered.
func (o *outcome) judge() error {
	if o.Count == 0 || o.percentile(99) == 0 {
		return fmt.Errorf("no calls were made")
	}
	if len(o.Errors) > 0 || o.Statuses["OK"] != o.Count {
		return fmt.Errorf("of %d calls %d were answered; errors %v", o.Count, o.Statuses["OK"], o.Errors)
	}
	return nil
}

// run asks through a path for so long, and fails if any call failed.
func (l *load) run(ctx context.Context, p *path, callers int, length time.Duration) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, length+time.Minute)
	defer cancel()
	metadata, err := json.Marshal(map[string]string{"lt-purpose": words.Purpose, "lt-case": words.Case})
	if err != nil {
		return nil, err
	}
	contract, err := protoset(p)
	if err != nil {
		return nil, err
	}
	report := filepath.Join(l.dir, "load.json")
	ghz := exec.CommandContext(ctx, l.ghz, "--protoset", contract, "--call", method,
		"--data-file", questionsFile(l.dir), "--metadata", string(metadata), "--disable-template-functions", "--disable-template-data",
		"--cacert", p.dir.CA(), "--cert", p.dir.Certificate(p.asker), "--key", p.dir.Key(p.asker), "--cname", "localhost",
		"--concurrency", strconv.Itoa(callers), "--connections", strconv.Itoa(max(1, callers/callersPerChannel)),
		"--duration", length.String(), "--duration-stop", "wait", "--format", "json", "--output", report, p.address)
	var said bytes.Buffer
	ghz.Stdout, ghz.Stderr = &said, &said
	ghz.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := ghz.Run(); err != nil {
		return nil, fmt.Errorf("load on %s: %w\n%s", p.name, err, said.String())
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		return nil, fmt.Errorf("load on %s: %w", p.name, err)
	}
	got, err := parseOutcome(raw)
	if err != nil {
		return nil, fmt.Errorf("load on %s, %d callers: %w", p.name, callers, err)
	}
	got.cpu = ghz.ProcessState.UserTime() + ghz.ProcessState.SystemTime()
	return got, nil
}

// parseOutcome reads a report of ghz and fails unless it is about calls that were all answered.
func parseOutcome(raw []byte) (*outcome, error) {
	o := new(outcome)
	if err := json.Unmarshal(raw, o); err != nil {
		return nil, fmt.Errorf("report of ghz: %w", err)
	}
	return o, o.judge()
}

// protoset writes the contract as it was published where a path's load finds it, so that a run does not begin with
// reflection.
func protoset(p *path) (string, error) {
	raw, err := proto.Marshal(catalog.FileSet(populationv1.File_registry_population_v1_population_proto))
	if err != nil {
		return "", fmt.Errorf("write contract: %w", err)
	}
	file := string(p.dir) + ".binpb"
	return file, os.WriteFile(file, raw, 0o600)
}
