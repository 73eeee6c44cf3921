package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerExport writes entries to a signed file.
type ledgerExport struct {
	filterFlags `group:"Which entries"`

	Format string `help:"jsonl or csv (default: ${default})." enum:"jsonl,csv" default:"jsonl" placeholder:"FORMAT"`
	Output string `short:"o" required:"" help:"File to write; its signature is written beside it, as FILE.sig." placeholder:"FILE"`
	Force  bool   `help:"Replace FILE if it is there."`

	ledgerFlags
}

// exported is what was written, in JSON.
type exported struct {
	File      string `json:"file"`
	Signature string `json:"signature"`
	Entries   uint64 `json:"entries"`
	Bytes     int64  `json:"bytes"`
}

// Run exports. The files appear whole, or not at all.
func (c *ledgerExport) Run(ctx context.Context, top *cli) error {
	if _, err := os.Stat(c.Output); err == nil && !c.Force {
		return usage("%s is there already; choose another file, or add --force to replace it", c.Output)
	}
	filter, err := c.filter(ctx, time.Now())
	if err != nil {
		return err
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	done, err := c.export(ctx, top, l, filter)
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(done)
	}
	_, err = fmt.Fprintf(stdout, "%d entries, %s\nfile      %s\nsignature %s\n", done.Entries, byteSize(uint64(done.Bytes)), done.File, done.Signature)
	return err
}

func (c *ledgerExport) export(ctx context.Context, top *cli, l *ledgerHub, filter *hubv1.Filter) (*exported, error) {
	part, err := os.CreateTemp(filepath.Dir(c.Output), "."+filepath.Base(c.Output)+".*")
	if err != nil {
		return nil, usage("--output: %w", err)
	}
	defer os.Remove(part.Name()) // nothing is there any more if all went well
	defer part.Close()
	done := &exported{File: c.Output, Signature: c.Output + ".sig"}
	signature, err := c.receive(ctx, top, l, filter, part, done)
	if err == nil {
		err = part.Sync()
	}
	if err == nil {
		err = part.Chmod(0o600)
	}
	if err == nil {
		err = os.WriteFile(part.Name()+".sig", signature, 0o600)
	}
	if err != nil {
		return nil, err
	}
	defer os.Remove(part.Name() + ".sig")
	if err := os.Rename(part.Name()+".sig", done.Signature); err != nil {
		return nil, fmt.Errorf("write signature: %w", err)
	}
	if err := os.Rename(part.Name(), done.File); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	return done, nil
}

// receive writes the pieces as they come, and returns the signature. It gives up when nothing has come for as long as
// --timeout says.
func (c *ledgerExport) receive(ctx context.Context, top *cli, l *ledgerHub, filter *hubv1.Filter, to io.Writer, done *exported) ([]byte, error) {
	within, cancel := context.WithCancelCause(l.words(ctx))
	defer cancel(nil)
	silence := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	format := hubv1.ExportRequest_Format(hubv1.ExportRequest_Format_value["FORMAT_"+strings.ToUpper(c.Format)])
	stream, err := l.Export(within, &hubv1.ExportRequest{Filter: filter, Format: format})
	if err != nil {
		return nil, l.failed(ctx, err, nil)
	}
	shown := newProgress(top, "exporting", "entries")
	defer shown.end()
	var signature []byte
	for {
		piece, err := stream.Recv()
		silence.Reset(c.Timeout)
		switch {
		case errors.Is(err, io.EOF) && len(signature) > 0:
			return signature, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("the export ended without a signature: it is not whole, and nothing was written; ask again")
		case err != nil && context.Cause(within) == context.DeadlineExceeded:
			return nil, fmt.Errorf("nothing came for %v; nothing was written; allow more with --timeout", c.Timeout)
		case err != nil:
			return nil, l.broke(ctx, err, stream)
		}
		n, err := to.Write(piece.GetData())
		if err != nil {
			return nil, fmt.Errorf("write export: %w", err)
		}
		done.Bytes += int64(n)
		done.Entries = piece.GetEntries()
		signature = append(signature, piece.GetSignature()...)
		shown.at(int64(done.Entries), 0)
	}
}
