package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerCommand is about the record of all exchanges.
type ledgerCommand struct {
	Search    ledgerSearch    `cmd:"" help:"Find entries, the newest first, or follow them as they come."`
	Show      ledgerShow      `cmd:"" help:"Show one entry and every part of the time it took."`
	Prove     ledgerProve     `cmd:"" help:"Print the proof that an entry is in the ledger, for a stranger to check."`
	Citizen   ledgerCitizen   `cmd:"" help:"Who asked about one person, when and for what; the number is read from stdin."`
	Volumes   ledgerVolumes   `cmd:"" help:"How much was exchanged, and how fast."`
	Status    ledgerStatus    `cmd:"" help:"In which state the ledger is."`
	Export    ledgerExport    `cmd:"" help:"Write what a search finds to a file, signed with the log's key."`
	Token     ledgerToken     `cmd:"" help:"Make a token by which one person's list can be read; the number is read from stdin."`
	Verify    ledgerVerify    `cmd:"" help:"Check a proof, without any hub."`
	Check     ledgerCheck     `cmd:"" help:"Verify a whole ledger: journal, transparency log, checkpoints."`
	Reindex   ledgerReindex   `cmd:"" help:"Make the index that searches read again from the journal."`
	Archive   ledgerArchive   `cmd:"" help:"Compress old segments and move them to the archive, or remove them after their time."`
	RotateKey ledgerRotateKey `cmd:"" help:"Make a new key for the hashes of data subjects; those before it stay for looking up."`
}

// Help is shown below the command's usage.
func (ledgerCommand) Help() string {
	return `Every read of the ledger is recorded in the ledger, with who made it. Numbers of people are read from stdin and never
taken as arguments: arguments stay in the shell's history and can be seen by every user of the machine.

  lienthong ledger search --since 15m --outcome refused
  lienthong ledger show 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11
  lienthong ledger prove 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11 > proof.json
  lienthong ledger citizen < number.txt`
}

// ledgerFlags say where the ledger is asked, and as whom.
type ledgerFlags struct {
	Reader string `help:"Account name of the officer who reads (lt-officer)." placeholder:"NAME"`

	hubFlags `group:"Which hub, and as whom" set:"as=G06/operator-a"`
}

// ledgerHub is the ledger of a hub that is asked.
type ledgerHub struct {
	hubv1.LedgerServiceClient
	*hub
	flags *ledgerFlags
}

// open opens a connection to the ledger that the flags name.
func (f *ledgerFlags) open(top *cli) (*ledgerHub, error) {
	h, err := f.dial(top)
	if err != nil {
		return nil, err
	}
	return &ledgerHub{hubv1.NewLedgerServiceClient(h), h, f}, nil
}

// words adds who reads.
func (l *ledgerHub) words(ctx context.Context) context.Context {
	return client.With(ctx, client.Words{Officer: l.flags.Reader})
}

// asked sends one question and waits for its answer, as long as the flags say.
func asked[Q, A any](ctx context.Context, l *ledgerHub, call func(context.Context, *Q, ...grpc.CallOption) (*A, error), question *Q) (*A, error) {
	within, cancel := l.flags.within(l.words(ctx))
	defer cancel()
	var header, trailer metadata.MD
	answer, err := call(within, question, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return nil, l.failed(ctx, err, metadata.Join(header, trailer))
	}
	return answer, nil
}

// failed is why the ledger did not answer, with what can be done about it.
func (l *ledgerHub) failed(ctx context.Context, err error, header metadata.MD) error {
	if ctx.Err() != nil {
		return errors.New("stopped before the hub had answered")
	}
	e := l.refused(err, client.ReceiptOf(header))
	switch {
	case e.Field == "lt-officer":
		e.Hint = "here that is --reader NAME"
	case e.Code == "Unimplemented":
		e.Message = fmt.Sprintf("the gateway at %s does not serve its ledger (%s)", l.address, e.Message)
		e.Hint = "is it of an older version?"
	}
	return e
}

// broke is why a stream ended before its end.
func (l *ledgerHub) broke(ctx context.Context, err error, stream grpc.ClientStream) error {
	header, herr := stream.Header()
	e := l.failed(ctx, err, metadata.Join(header, stream.Trailer()))
	if refused := (*errRefused)(nil); herr == nil && header != nil && errors.As(e, &refused) && refused.Reason == "" && refused.Code == "Unavailable" {
		refused.Message = fmt.Sprintf("the connection to the gateway at %s broke", l.address) // it had answered: nobody refused a certificate
		refused.Hint = "run the command again; is the hub still there? lienthong ledger status"
	}
	return e
}

// warnMissing says which ledgers an answer lacks.
func warnMissing(origins []string) {
	if len(origins) > 0 {
		fmt.Fprintf(stderr, "lienthong: NOT ALL of it: these ledgers could not be searched: %s\n", strings.Join(origins, ", "))
	}
}
