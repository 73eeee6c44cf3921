package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
)

// hubFlags say where the hub is and as whom it is asked. They are shared by all commands that ask a running hub.
type hubFlags struct {
	As   string `help:"System that asks, AGENCY/SYSTEM, by its identity below --dir." placeholder:"AGENCY/SYSTEM" default:"H27/one-stop"`
	Addr string `help:"Address of a gateway elsewhere; needs --ca, --cert and --key." placeholder:"HOST:PORT"`
	CA   string `name:"ca" help:"Certificate of the hub's authority, PEM." type:"existingfile" placeholder:"FILE"`
	Cert string `help:"Certificate of the system that asks, PEM." type:"existingfile" placeholder:"FILE"`
	Key  string `help:"Its private key, PEM." type:"existingfile" placeholder:"FILE"`

	Timeout time.Duration `help:"How long to wait for the answer." default:"10s"`
	JSON    bool          `name:"json" help:"Answer in JSON."`
}

// dial opens a connection to the hub that the flags name, or to the one that runs from the directory.
func (f *hubFlags) dial(top *cli) (*grpc.ClientConn, error) {
	if f.Addr != "" {
		if f.CA == "" || f.Cert == "" || f.Key == "" {
			return nil, usage("--addr needs --ca, --cert and --key")
		}
		identity, err := peer.LoadIdentity(f.Cert, f.Key, f.CA)
		if err != nil {
			return nil, usage("%w", err)
		}
		return client.Dial(f.Addr, identity)
	}
	id, err := peer.ParseID(f.As)
	if err != nil {
		return nil, usage("--as %q: %w", f.As, err)
	}
	ready, err := top.dir().ReadReady()
	if err != nil {
		return nil, err
	}
	identity, err := top.dir().LoadIdentity(id)
	if err != nil {
		return nil, usage("no identity %s below %s; see: lienthong identity list (%w)", id, top.Dir, err)
	}
	return client.Dial(ready.Addresses["grpc"], identity)
}

// within bounds the command by --timeout.
func (f *hubFlags) within(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if f.Timeout <= 0 {
		return nil, nil, usage("--timeout is %v; it must be more than 0", f.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	return ctx, cancel, nil
}

// fail tells the user, on stderr, why the hub did not answer.
func (f *hubFlags) fail(err error, receipt client.Receipt) error {
	refusal := client.RefusalOf(err)
	if f.JSON {
		printJSONTo(stderr, struct {
			client.Refusal
			Exchange string `json:"exchange,omitempty"`
		}{refusal, receipt.Exchange})
		return errSaid
	}
	name := refusal.Reason
	if name == "" {
		name = refusal.Code
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, refusal.Message)
	if receipt.Exchange != "" {
		fmt.Fprintf(stderr, "exchange %s\n", receipt.Exchange)
	}
	return errSaid
}
