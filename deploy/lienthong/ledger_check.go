package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// ledgerPlace says where a ledger lies that is read without a hub.
type ledgerPlace struct {
	Ledger string `help:"The ledger's directory (default: DIR/ledger)." placeholder:"PATH"`
	Head   string `name:"ledger-head" help:"The ledger's head file (default: DIR/ledger.head, PATH.head or PATH/head)." placeholder:"FILE"`
}

// find fills in what the flags do not say, and fails if there is no ledger.
func (p *ledgerPlace) find(top *cli) (ledger.Path, error) {
	heads := []string{p.Head}
	if p.Ledger == "" {
		p.Ledger = string(top.dir().Ledger())
		heads = append(heads, top.dir().LedgerHead())
	}
	path := ledger.Path(p.Ledger)
	if _, err := os.Stat(path.Journal()); err != nil {
		return "", usage("no ledger in %s; say where one is with --dir or --ledger (%w)", p.Ledger, err)
	}
	if p.Head != "" {
		return path, nil
	}
	for _, head := range append(heads, filepath.Clean(p.Ledger)+".head", filepath.Join(p.Ledger, "head")) {
		if _, err := os.Stat(head); head != "" && err == nil {
			p.Head = head
			break
		}
	}
	return path, nil
}

// ledgerCheck verifies a whole ledger.
type ledgerCheck struct {
	Since   string   `help:"File with a checkpoint kept from earlier: the log must still contain it (default: the hub's own, beside the head file)." type:"existingfile" placeholder:"CHECKPOINT"`
	Key     string   `help:"File with the log's public key, from where you trust it to be true (default: log.pub of the ledger)." type:"existingfile" placeholder:"FILE"`
	Witness []string `help:"Public key of a witness that cosigns, or a file with it. May be given several times." placeholder:"VKEY" sep:"none"`

	ledgerPlace
}

// Help is shown below the command's usage.
func (ledgerCheck) Help() string {
	return `It reads everything: each checksum, position and link of the chain, how segments and archive fit together and the head
file; then it computes the whole transparency log again and compares it with each tile, the signed checkpoint and one
kept from earlier. It changes nothing and may run beside a hub.

The exit code is 0 if all holds, 1 if something does not: each fault is listed with its file and position.`
}

// Run checks.
func (c *ledgerCheck) Run(ctx context.Context, top *cli) error {
	path, err := c.find(top)
	if err != nil {
		return err
	}
	k := checking{top: top, path: path, head: c.Head, key: c.Key}
	if k.since, err = c.kept(); err != nil {
		return err
	}
	for _, text := range c.Witness {
		key, err := cosigner(text)
		if err != nil {
			return usage("--witness: %w", err)
		}
		k.cosigners = append(k.cosigners, key)
	}
	found, err := k.run(ctx)
	if found != nil {
		found.keys(path)
	}
	if ctx.Err() != nil {
		return errors.New("stopped before all was checked; nothing was found by then that says anything")
	}
	if err != nil {
		return err
	}
	return found.print(top)
}

// kept is the older checkpoint that the log must contain: the one that is given, or else the one that the hub itself
// keeps beside the journal's head file, so that a log put back from an old copy is noticed.
func (c *ledgerCheck) kept() ([]byte, error) {
	if c.Since != "" {
		data, err := os.ReadFile(c.Since)
		if err != nil {
			return nil, usage("--since: %w", err)
		}
		return data, nil
	}
	if c.Head == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Head + ".checkpoint")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return data, nil
}

// keys adds what is wrong with the ledger's keys: without them nobody is found in it.
func (c *checked) keys(path ledger.Path) {
	if err := ledger.CheckKeys(path); err != nil {
		c.OK = false
		c.Faults = append(c.Faults, checkedFault{Part: "keys", File: path.Keys(), Offset: -1, Seq: -1, What: err.Error()})
	}
}

// checking verifies one ledger.
type checking struct {
	top       *cli
	path      ledger.Path
	head      string // the journal's; empty: not looked at
	key       string // file with the log's public key; empty: the ledger's own
	since     []byte
	cosigners []note.Verifier
}

// checked is what a check found, in JSON.
type checked struct {
	OK        bool           `json:"ok"`
	First     uint64         `json:"first"` // position of the first record there is
	Next      uint64         `json:"next"`  // the one behind the last
	Voids     uint64         `json:"voids"` // positions that were given and never acknowledged
	Segments  int            `json:"segments"`
	Bytes     int64          `json:"bytes"`
	CutBytes  int64          `json:"incomplete_bytes,omitempty"` // of a last batch that was never acknowledged
	Leaves    uint64         `json:"leaves"`
	Published uint64         `json:"published"`
	Cosigned  int            `json:"cosigned,omitempty"`
	Faults    []checkedFault `json:"faults,omitempty"`
	More      int            `json:"more_faults,omitempty"`
}

// checkedFault is one fault.
type checkedFault struct {
	Part   string `json:"part"` // "journal" or "log"
	File   string `json:"file"`
	Offset int64  `json:"offset"`   // -1 when it is of no place in the file
	Seq    int64  `json:"position"` // the first record it concerns; -1 when it concerns none
	What   string `json:"what"`
}

// run checks the journal first, and then the log against what the journal holds.
func (k *checking) run(ctx context.Context) (*checked, error) {
	key, err := k.logKey()
	if err != nil {
		return nil, err
	}
	leaves := newLeaves(k.path)
	shown := newProgress(k.top, "checking the journal", "bytes")
	j, err := journal.Check(ctx, leaves.dirs, journal.CheckOptions{Head: k.head, Entry: leaves.keep}, shown.at)
	shown.end()
	if err != nil {
		return nil, err
	}
	out := &checked{First: j.First, Next: j.Next, Voids: j.Voids, Segments: j.Segments, Bytes: j.Bytes}
	if j.Tail != nil {
		out.CutBytes = j.Tail.Bytes
	}
	for _, d := range j.Faults {
		out.Faults = append(out.Faults, checkedFault{"journal", d.File, d.Offset, int64(d.Seq), d.What})
	}
	if key == nil { // of a ledger that was never open long enough to have a log
		out.OK = len(out.Faults) == 0
		return out, nil
	}
	shown = newProgress(k.top, "checking the log", "records")
	l, err := notary.Check(ctx, notary.CheckConfig{
		Dir: k.path.Log(), Key: key, Cosigners: k.cosigners, Digests: leaves.all(ctx, j.Next), Since: k.since,
		Progress: func(done, total uint64) { shown.at(int64(done), int64(total)) },
	})
	shown.end()
	if err != nil {
		return nil, err
	}
	out.Leaves, out.Published, out.Cosigned, out.More = l.Leaves, l.Published, l.Cosigned, l.More
	for _, f := range l.Faults {
		out.Faults = append(out.Faults, checkedFault{"log", filepath.Join(k.path.Log(), f.File), -1, f.Leaf, f.What})
	}
	out.OK = len(out.Faults) == 0
	return out, nil
}

// logKey reads the log's public key; nil if there is neither log nor key yet.
func (k *checking) logKey() (note.Verifier, error) {
	file := k.key
	if file == "" {
		file = k.path.LogPub()
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Stat(k.path.Log()); errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
		}
	}
	line, err := readLine(file)
	if err != nil {
		return nil, usage("the log's public key: %w", err)
	}
	key, err := note.NewVerifier(line)
	if err != nil {
		return nil, usage("%s: %w", file, err)
	}
	return key, nil
}

func (c *checked) print(top *cli) error {
	if err := c.show(top); err != nil || c.OK {
		return err
	}
	return fmt.Errorf("the ledger does not hold: %d faults", len(c.Faults)+c.More)
}

func (c *checked) show(top *cli) error {
	if top.JSON {
		return printJSON(c)
	}
	fmt.Fprintf(stdout, "journal  %d records", c.Next-c.First)
	if c.Next > c.First {
		fmt.Fprintf(stdout, " at positions %d to %d", c.First, c.Next-1)
	}
	fmt.Fprintf(stdout, ", %d segments, %s", c.Segments, bytesOf(c.Bytes))
	if c.Voids > 0 {
		fmt.Fprintf(stdout, "; %d of them void: their batches could not be written", c.Voids)
	}
	if c.CutBytes > 0 {
		fmt.Fprintf(stdout, "; %d bytes of an incomplete last batch, which was never acknowledged", c.CutBytes)
	}
	fmt.Fprintf(stdout, "\nlog      %d leaves, %d in the signed checkpoint", c.Leaves, c.Published)
	if c.Cosigned > 0 {
		fmt.Fprintf(stdout, ", cosigned by %d witnesses", c.Cosigned)
	}
	fmt.Fprintln(stdout)
	if c.OK {
		_, err := fmt.Fprintln(stdout, "all of it holds")
		return err
	}
	var rows [][]string
	for _, f := range c.Faults {
		rows = append(rows, []string{f.Part, place(f.Seq), f.File, place(f.Offset), f.What})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"PART", "POSITION", "FILE", "OFFSET", "WHAT IS WRONG"}, rows); err != nil {
		return err
	}
	if c.More > 0 {
		fmt.Fprintf(stdout, "and %d more\n", c.More)
	}
	return nil
}

func place(n int64) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// checkRestored checks the ledger of a backup. It returns the position behind its last record.
func checkRestored(ctx context.Context, top *cli, dir, head string) (uint64, error) {
	if _, err := os.Stat(head); errors.Is(err, fs.ErrNotExist) {
		head = ""
	}
	k := checking{top: top, path: ledger.Path(dir), head: head}
	found, err := k.run(ctx)
	if err != nil {
		return 0, err
	}
	if !found.OK {
		f := found.Faults[0]
		return 0, fmt.Errorf("%s, position %d: %s (%d faults)", filepath.Base(f.File), f.Seq, f.What, len(found.Faults)+found.More)
	}
	return found.Next, nil
}
