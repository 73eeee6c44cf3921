package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerStatus shows in which state the ledger is.
type ledgerStatus struct {
	ledgerFlags
}

// Help is shown below the command's usage.
func (ledgerStatus) Help() string {
	return "The exit code is 1 if the ledger takes no records now: the hub answers nobody then."
}

// ledgerState is the state in JSON.
type ledgerState struct {
	Origin       string `json:"origin"`
	Records      uint64 `json:"records"`
	Proven       uint64 `json:"proven"`
	Indexed      uint64 `json:"indexed"`
	OpenIntents  uint32 `json:"open_intents"`
	Fault        string `json:"fault,omitempty"`
	JournalBytes uint64 `json:"journal_bytes"`
	LogBytes     uint64 `json:"log_bytes"`
	IndexBytes   uint64 `json:"index_bytes"`
	Checkpoint   string `json:"checkpoint"`
	VerifierKey  string `json:"verifier_key"`
}

// Run shows it.
func (c *ledgerStatus) Run(ctx context.Context, top *cli) error {
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	s, err := asked(ctx, l, l.GetStatus, &hubv1.GetStatusRequest{})
	if err != nil {
		return err
	}
	if top.JSON {
		err = printJSON(ledgerState{
			Origin: s.GetOrigin(), Records: s.GetRecords(), Proven: s.GetProven(), Indexed: s.GetIndexed(),
			OpenIntents: s.GetOpenIntents(), Fault: s.GetFault(), JournalBytes: s.GetJournalBytes(), LogBytes: s.GetLogBytes(),
			IndexBytes: s.GetIndexBytes(), Checkpoint: s.GetCheckpoint(), VerifierKey: s.GetVerifierKey(),
		})
	} else {
		err = printStatus(s)
	}
	if err == nil && s.GetFault() != "" {
		err = errors.New("the ledger takes no records now, so the hub answers nobody: " + s.GetFault())
	}
	return err
}

func printStatus(s *hubv1.GetStatusResponse) error {
	behind := func(n uint64) string {
		text := strconv.FormatUint(n, 10)
		if n < s.GetRecords() {
			text += fmt.Sprintf("  (%d behind)", s.GetRecords()-n)
		}
		return text
	}
	state := "takes records"
	if s.GetFault() != "" {
		state = "TAKES NO RECORDS: " + s.GetFault()
	}
	rows := [][]string{
		{"ledger", s.GetOrigin()},
		{"state", state},
		{"records", strconv.FormatUint(s.GetRecords(), 10)},
		{"proven", behind(s.GetProven())},
		{"searchable", behind(s.GetIndexed())},
		{"open intents", strconv.FormatUint(uint64(s.GetOpenIntents()), 10)},
		{"journal", byteSize(s.GetJournalBytes())},
		{"transparency log", byteSize(s.GetLogBytes())},
		{"index", byteSize(s.GetIndexBytes())},
	}
	if n := s.GetRecords(); n >= 1_000_000 { // else it is about space that was prepared
		rows = append(rows, []string{"disk per record", byteSize((s.GetJournalBytes() + s.GetLogBytes() + s.GetIndexBytes()) / n)})
	}
	if err := printTable([]string{"PART", "VALUE"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nverifier key %s\n", s.GetVerifierKey())
	if s.GetCheckpoint() != "" {
		fmt.Fprintf(stdout, "\nlast checkpoint:\n%s\n", strings.TrimRight(s.GetCheckpoint(), "\n"))
	}
	return nil
}
