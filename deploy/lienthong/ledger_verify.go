package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
)

// ledgerVerify checks a proof without a hub.
type ledgerVerify struct {
	Proof    string   `arg:"" name:"proof.json" help:"The proof; '-' reads it from stdin."`
	LogKey   string   `name:"key" help:"File with the log's public key, from where you trust it to be true (default: DIR/ledger/log.pub)." placeholder:"FILE"`
	Witness  []string `help:"Public key of a witness that must have cosigned: the key or a file with it. May be given several times." placeholder:"VKEY" sep:"none"`
	Needed   int      `help:"How many of the witnesses must have cosigned (default: all)." placeholder:"N"`
	Since    string   `help:"File with a checkpoint kept from earlier, which the log must still contain." placeholder:"FILE"`
	Request  string   `help:"File with the request's bytes, see query --raw-request." placeholder:"FILE"`
	Answer   string   `help:"File with the answer's bytes, see query --raw: shows that these bytes were the answer." placeholder:"FILE"`
	Receipt  string   `help:"Key of the receipt that came with the answer; @FILE reads it from a file." placeholder:"KEY"`
	Page     string   `help:"Also write an HTML page for the dossier." placeholder:"FILE"`
	Language string   `name:"lang" help:"Language of the page: vi or en (default: ${default})." enum:"vi,en" default:"vi" placeholder:"LANG"`
}

// Help is shown below the command's usage.
func (ledgerVerify) Help() string {
	return `Nothing in the proof is believed that does not follow from the keys you give; no hub is asked. Compare the key's
fingerprint with the one the hub's owner publishes:

  lienthong ledger verify proof.json --key log.pub
  lienthong ledger verify proof.json --key log.pub --answer answer.bin --receipt @receipt.txt --page proof.html

The exit code is 0 if all that was asked for holds, 1 if something does not, 2 if the command was called wrongly.`
}

// Run verifies.
func (c *ledgerVerify) Run(top *cli) error {
	options, err := c.options(top)
	if err != nil {
		return usage("%w", err)
	}
	document, err := readProof(c.Proof)
	if err != nil {
		return usage("%w", err)
	}
	verdict, err := proof.Verify(document, options)
	if err != nil {
		return usage("%w", err)
	}
	if c.Page != "" {
		if err := c.page(verdict); err != nil {
			return err
		}
	}
	if top.JSON {
		err = printJSON(verdictOf(verdict))
	} else {
		err = proof.Text(stdout, verdict)
	}
	if failed := verdict.Failure(); err == nil && failed != nil {
		return fmt.Errorf("the proof does not hold: %s: %s", failed.Title("en"), failed.Detail)
	}
	return err
}

// page writes the page for the dossier, whatever it says.
func (c *ledgerVerify) page(v *proof.Verdict) error {
	var page bytes.Buffer
	if err := proof.Page(&page, v, c.Language); err != nil {
		return fmt.Errorf("make page: %w", err)
	}
	file, err := os.OpenFile(c.Page, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write page: %s is there already; name another file, or remove it", c.Page)
	}
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	_, err = file.Write(page.Bytes())
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// options are what the verifier brings along.
func (c *ledgerVerify) options(top *cli) (o proof.Options, err error) {
	if c.LogKey == "" {
		c.LogKey = filepath.Join(top.Dir, "ledger", "log.pub")
	}
	if o.LogKey, err = readLine(c.LogKey); err != nil {
		return o, fmt.Errorf("the log's public key, say where it is with --key: %w", err)
	}
	for _, key := range c.Witness {
		if key, err = keyOrFile(key); err != nil {
			return o, fmt.Errorf("--witness: %w", err)
		}
		o.Witnesses = append(o.Witnesses, key)
	}
	o.Needed = c.Needed
	for _, f := range []struct {
		flag, path string
		data       *[]byte
	}{{"--since", c.Since, &o.Since}, {"--request", c.Request, &o.Request}, {"--answer", c.Answer, &o.Answer}} {
		if f.path == "" {
			continue
		}
		if *f.data, err = os.ReadFile(f.path); err != nil {
			return o, fmt.Errorf("%s: %w", f.flag, err)
		}
	}
	o.ReceiptKey = c.Receipt
	if path, ok := strings.CutPrefix(c.Receipt, "@"); ok {
		if o.ReceiptKey, err = readLine(path); err != nil {
			return o, fmt.Errorf("--receipt: %w", err)
		}
	}
	if given := o.Request != nil || o.Answer != nil; given != (o.ReceiptKey != "") {
		return o, errors.New("--answer and --request need the --receipt that came with the answer, and the receipt needs one of them")
	}
	return o, nil
}

// readProof reads a proof, or a little more than one can have.
func readProof(path string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, proof.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read proof: %w", err)
	}
	return data, nil
}

// readLine reads a file of one short line.
func readLine(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(data))
	if line == "" || strings.ContainsAny(line, "\r\n") || len(line) > 4096 {
		return "", fmt.Errorf("%s does not hold one line with a key", path)
	}
	return line, nil
}

// keyOrFile is a verifier key as it is given, or the line of a file.
func keyOrFile(text string) (string, error) {
	if strings.Count(text, "+") >= 2 && !strings.ContainsRune(text, filepath.Separator) {
		return text, nil
	}
	if _, err := os.Stat(text); err != nil && strings.Count(text, "+") >= 2 {
		return text, nil // base64 has slashes
	}
	return readLine(text)
}

// proofVerdict is a verdict in JSON.
type proofVerdict struct {
	OK          bool           `json:"ok"`
	Checks      []proofCheck   `json:"checks"`
	Position    string         `json:"position,omitempty"`
	Record      map[string]any `json:"record,omitempty"` // what the document claims; believe it only if ok
	Cosigned    []string       `json:"cosigned_by,omitempty"`
	Fingerprint string         `json:"key_sha256"`
	SHA256      string         `json:"proof_sha256"`
}

type proofCheck struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
}

func verdictOf(v *proof.Verdict) proofVerdict {
	out := proofVerdict{OK: v.OK(), Fingerprint: proof.Fingerprint(v.LogKey), SHA256: hex.EncodeToString(v.SHA256[:])}
	for _, c := range v.Checks {
		out.Checks = append(out.Checks, proofCheck{c.Name, string(c.State), c.Detail})
	}
	if v.Document != nil {
		out.Position = fmt.Sprintf("%s:%d", v.Document.Origin, v.Document.Seq)
	}
	if v.Record != nil {
		out.Record = plain(v.Record.ProtoReflect())
	}
	for _, w := range v.Cosigned {
		out.Cosigned = append(out.Cosigned, w.Witness)
	}
	return out
}
