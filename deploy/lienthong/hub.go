package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
)

// hubFlags say where the hub is and as whom it is asked. They are shared by all commands that ask a running hub; a
// command that is asked as somebody else sets the variable "as" where it embeds them.
type hubFlags struct {
	As   string `help:"System that asks, by its identity below --dir (default: ${default})." placeholder:"AGENCY/SYSTEM" default:"${as}"`
	Addr string `help:"Address of a gateway (default: that of the hub that runs from --dir)." placeholder:"HOST:PORT"`
	CA   string `name:"ca" help:"Certificate of the hub's authority, PEM. With --cert and --key, in the place of --as." type:"existingfile" placeholder:"FILE" and:"identity"`
	Cert string `help:"Certificate of the system that asks, PEM." type:"existingfile" placeholder:"FILE" and:"identity"`
	Key  string `help:"Its private key, PEM." type:"existingfile" placeholder:"FILE" and:"identity"`

	Timeout time.Duration `help:"How long to wait for the answer (default: ${default})." default:"10s" placeholder:"DURATION"`
}

// hub is a hub that is asked.
type hub struct {
	*grpc.ClientConn
	top     *cli
	address string
	who     string // who asks, for error messages
}

// dial opens a connection to the hub that the flags name, or to the one that runs from the directory.
func (f *hubFlags) dial(top *cli) (*hub, error) {
	if f.Timeout <= 0 {
		return nil, usage("--timeout is %v; it must be more than 0", f.Timeout)
	}
	h := &hub{top: top, address: f.Addr, who: f.Cert}
	if h.address == "" {
		ready, err := top.dir().ReadReady()
		if err != nil {
			return nil, err
		}
		h.address = ready.Addresses["grpc"]
	}
	identity, err := f.identity(top, h)
	if err != nil {
		return nil, err
	}
	h.ClientConn, err = client.Dial(h.address, identity)
	return h, err
}

// identity is that of the files that the flags name, or of a system below the directory.
func (f *hubFlags) identity(top *cli, h *hub) (*peer.Identity, error) {
	if f.Cert != "" {
		identity, err := peer.LoadIdentity(f.Cert, f.Key, f.CA)
		if err != nil {
			return nil, usage("--ca, --cert and --key: %w", err)
		}
		return identity, nil
	}
	h.who = f.As
	id, err := peer.ParseID(f.As)
	if err != nil {
		return nil, usage("--as %q: %w", f.As, err)
	}
	identity, err := top.dir().LoadIdentity(id)
	if err != nil {
		return nil, usage("no identity of %s below %s; see: lienthong identity list --dir %s (%w)", id, top.Dir, top.Dir, err)
	}
	return identity, nil
}

// within bounds the asking by --timeout.
func (f *hubFlags) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, f.Timeout)
}

// options of this command, by the metadata that a refusal names.
var options = map[string]string{
	"lt-purpose": "--purpose CODE", "lt-case": "--case NUMBER", "lt-officer": "--officer NAME",
	"lt-fields": "--only FIELDS", "lt-consent": "--consent REFERENCE",
}

// refused is why the hub did not answer, with what the command's user can do about it.
func (h *hub) refused(err error, receipt client.Receipt) *errRefused {
	e := &errRefused{Refusal: client.RefusalOf(err), Exchange: receipt.Exchange}
	if i := strings.LastIndex(e.Message, "desc = "); i >= 0 { // what the client puts before the hub's words
		e.Message = strings.Trim(e.Message[i+len("desc = "):], `"`)
	}
	if e.Reason == "" { // not the hub's words
		h.unreached(e)
		return e
	}
	if option, ok := options[e.Field]; ok {
		e.Hint = "here that is " + option
	}
	if e.Reason == "IDENTITY_UNKNOWN" {
		e.Hint = "see who is a member: lienthong identity list --dir " + h.top.Dir
	}
	if strings.HasPrefix(e.Reason, "PURPOSE_") {
		e.Hint = strings.TrimPrefix(e.Hint+"; the agreements name the purposes: lienthong agreement list --as "+h.who, "; ")
	}
	return e
}

// unreached says why there was no hub to refuse.
func (h *hub) unreached(e *errRefused) {
	switch {
	case e.Code == "DeadlineExceeded":
		e.Message = fmt.Sprintf("the hub at %s did not answer in time (%s)", h.address, e.Message)
		e.Hint = "allow more with --timeout, or check that a hub listens there"
	case e.Code != "Unavailable":
	case strings.Contains(e.Message, "remote error: tls:"), broken(e.Message):
		e.Message = fmt.Sprintf("the gateway at %s refused the certificate of %s (%s)", h.address, h.who, e.Message)
		e.Hint = "is it revoked, expired or of another authority? see: lienthong identity list --all --dir " + h.top.Dir
	case strings.Contains(e.Message, "authentication handshake failed"):
		e.Message = fmt.Sprintf("what answers at %s is not a gateway of this authority (%s)", h.address, e.Message)
		e.Hint = "check --addr and --ca"
	default:
		e.Message = fmt.Sprintf("no hub answers at %s (%s)", h.address, e.Message)
		e.Hint = "start one with: lienthong up --dir " + h.top.Dir
	}
}

// broken reports whether a connection was made and then closed from the other side. In TLS 1.3 that is how a refused
// certificate looks if the alert that says so was overtaken.
func broken(message string) bool {
	for _, sign := range []string{"broken pipe", "connection reset", "EOF"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}
