package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/lienthong/lienthong/gateway/client"
)

// maxStdin is the largest request in JSON. The hub's limit, on the request itself, is lower.
const maxStdin = 4 << 20

// queryCommand asks a registry through the hub.
type queryCommand struct {
	Method string   `arg:"" help:"What to ask: SERVICE/METHOD, such as registry.population.v1.PopulationService/GetResidence."`
	Fields []string `arg:"" optional:"" name:"field=value" help:"Request fields; nested with dots, repeated by repeating, items of a list by number (people.0.full_name=…). Without any, JSON is read from stdin."`

	Purpose string `help:"Coded purpose of the agreement (lt-purpose)." placeholder:"CODE"`
	Case    string `help:"Number of the dossier that the query serves (lt-case)." placeholder:"NUMBER"`
	Officer string `help:"Account name of the officer who asks (lt-officer)." placeholder:"NAME"`
	Only    string `help:"Ask only for these fields of the answer, joined by commas (lt-fields)." placeholder:"FIELDS"`
	Consent string `help:"Reference to the citizen's consent (lt-consent)." placeholder:"REFERENCE"`

	Raw        string `help:"Also write the answer's bytes to this file: with the receipt's key it can be proven later that they were the answer." placeholder:"FILE"`
	RawRequest string `help:"Also write the request's bytes to this file, likewise." placeholder:"FILE"`

	hubFlags `group:"Which hub, and as whom"`
}

// Help is shown below the command's usage.
func (queryCommand) Help() string {
	return `Examples, with people from "lienthong nation sample married":

  lienthong query registry.population.v1.PopulationService/GetResidence personal_id=040094997317 \
      --as H27/one-stop --purpose CT-TT --case H27-261122-0001
  lienthong query registry.population.v1.PopulationService/BatchVerify --as G22/dvc-portal --purpose DVC-XT \
      people.0.personal_id=… people.0.full_name=… people.0.birth_date=… people.1.personal_id=…
  echo '{"personal_id":"040094997317"}' | lienthong query registry.population… --json

What can be asked, with the fields of each request: lienthong services [SERVICE]. Who may ask it, for which purposes:
lienthong agreement list; why a question is refused: lienthong agreement explain.

The exit code is 0 if the hub answered, 1 if it refused or failed (the reason is on stderr), 2 if the command was
called wrongly.`
}

// Validate is called by kong. Metadata of gRPC carries printable ASCII only.
func (c *queryCommand) Validate() error {
	for _, word := range []struct{ flag, value string }{
		{"--purpose", c.Purpose}, {"--case", c.Case}, {"--officer", c.Officer}, {"--only", c.Only}, {"--consent", c.Consent},
	} {
		if strings.ContainsFunc(word.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("%s %q: write it in ASCII, without accents", word.flag, word.value)
		}
	}
	return nil
}

// fieldsTogether moves the field=value arguments behind the first of them, because kong reads a list of arguments only
// where no flag comes between; a field is often added at the end of a line that was pasted.
func fieldsTogether(args []string) []string {
	var fields, before, after []string
	for i, arg := range args {
		value := i > 0 && strings.HasPrefix(args[i-1], "--") && !strings.Contains(args[i-1], "=") && args[i-1] != "--json"
		switch {
		case !value && strings.Contains(arg, "=") && !strings.HasPrefix(arg, "-"):
			fields = append(fields, arg)
		case len(fields) == 0:
			before = append(before, arg)
		default:
			after = append(after, arg)
		}
	}
	return slices.Concat(before, fields, after)
}

// answered is a query's answer in JSON.
type answered struct {
	Answer   json.RawMessage `json:"answer"`
	Exchange string          `json:"exchange"`
	Withheld []string        `json:"withheld,omitempty"`
	Ledger   string          `json:"ledger,omitempty"`  // position of its record: ORIGIN:SEQ
	Receipt  string          `json:"receipt,omitempty"` // key with which the bytes can be proven; keep it beside them
}

// Run asks once.
func (c *queryCommand) Run(ctx context.Context, top *cli) error {
	service, method, ok := strings.Cut(strings.TrimPrefix(c.Method, "/"), "/")
	if !ok || service == "" || method == "" || strings.Contains(method, "/") {
		return usage("%q is not SERVICE/METHOD; see: lienthong services", c.Method)
	}
	h, err := c.dial(top)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	var given []byte
	if len(c.Fields) == 0 {
		if given, err = readStdin(ctx); err != nil {
			return usage("%w; the fields are listed by: lienthong services %s", err, service)
		}
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	desc, err := h.describe(ctx, service, method)
	if err != nil {
		return err
	}
	if desc == nil {
		return c.unknown(ctx, h, service, method)
	}
	if err := canWrite(c.RawRequest, c.Raw); err != nil {
		return err
	}
	request := dynamicpb.NewMessage(desc.Input())
	if err := c.fill(request, given); err != nil {
		return usage("%w; the fields are listed by: lienthong services %s", err, service)
	}
	response := dynamicpb.NewMessage(desc.Output())
	bytes := newKeepingCodec()
	receipt, err := c.ask(ctx, h, request, response, grpc.ForceCodecV2(bytes))
	if err != nil {
		e := h.refused(err, receipt)
		if name := lacking(desc.Output(), c.Only); e.Reason == "FIELD_UNKNOWN" && e.Field == "lt-fields" && name != "" {
			e.Hint += fmt.Sprintf(": the answer has no field %q; see: lienthong services %s", name, service)
		}
		return e
	}
	// The answer is shown even if its bytes cannot be kept: the exchange has happened.
	return errors.Join(c.show(top, response, receipt), bytes.write(c.RawRequest, c.Raw))
}

// ask sends the question.
func (c *queryCommand) ask(ctx context.Context, h *hub, request, response proto.Message, opts ...grpc.CallOption) (client.Receipt, error) {
	words := client.Words{Purpose: c.Purpose, Case: c.Case, Officer: c.Officer, Fields: c.Only, Consent: c.Consent}
	var header, trailer metadata.MD
	opts = append(opts, grpc.Header(&header), grpc.Trailer(&trailer))
	err := h.Invoke(client.With(ctx, words), "/"+strings.TrimPrefix(c.Method, "/"), request, response, opts...)
	return client.ReceiptOf(metadata.Join(header, trailer)), err
}

// lacking finds the first of the paths, joined by commas, that leads to no field of the message; empty if all do.
func lacking(desc protoreflect.MessageDescriptor, paths string) string {
	for path := range strings.SplitSeq(paths, ",") {
		at := desc
		for name := range strings.SplitSeq(strings.TrimSpace(path), ".") {
			if at == nil || at.Fields().ByName(protoreflect.Name(name)) == nil {
				return path
			}
			at = at.Fields().ByName(protoreflect.Name(name)).Message()
		}
	}
	return ""
}

// describe finds the method in the hub's catalog; nil if it is not there.
func (h *hub) describe(ctx context.Context, service, method string) (protoreflect.MethodDescriptor, error) {
	desc, err := client.Describe(ctx, h, service)
	if err != nil {
		if client.RefusalOf(err).Code == "Unknown" { // an answer, not a failure of asking
			return nil, nil
		}
		return nil, h.refused(err, client.Receipt{})
	}
	return desc.Methods().ByName(protoreflect.Name(method)), nil
}

// unknown asks what the catalog does not have all the same, so that the hub says why not, and records it. It adds
// what was perhaps meant.
func (c *queryCommand) unknown(ctx context.Context, h *hub, service, method string) error {
	receipt, err := c.ask(ctx, h, new(emptypb.Empty), new(emptypb.Empty))
	if err == nil {
		return fmt.Errorf("the hub answered %s, which its catalog does not have; ask again", c.Method)
	}
	e := h.refused(err, receipt)
	if desc, err := client.Describe(ctx, h, service); err == nil {
		var names []string
		for i := range desc.Methods().Len() {
			names = append(names, string(desc.Methods().Get(i).Name()))
		}
		e.Hint = service + " has " + strings.Join(names, ", ")
		return e
	}
	names, err := client.Services(ctx, h)
	if err != nil {
		return e
	}
	for _, name := range names {
		if strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(service)) {
			e.Hint = "write the full name: " + name + "/" + method
			return e
		}
	}
	e.Hint = "the catalog has " + strings.Join(names, ", ")
	return e
}

// readStdin reads a request; nothing there is an error. It stops when the process is told to stop.
func readStdin(ctx context.Context) ([]byte, error) {
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintln(stderr, "no field=value arguments: type the request in JSON, then Ctrl-D")
	}
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin+1))
		done <- read{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errors.New("stopped before the request was read")
	case r := <-done:
		switch {
		case r.err != nil:
			return nil, fmt.Errorf("read request from stdin: %w", r.err)
		case len(r.data) > maxStdin:
			return nil, fmt.Errorf("the request on stdin is over %d MiB", maxStdin>>20)
		case len(bytes.TrimSpace(r.data)) == 0:
			return nil, errors.New("no request: give field=value arguments, or JSON on stdin")
		}
		return r.data, nil
	}
}

// fill makes the request of the arguments, or of JSON.
func (c *queryCommand) fill(request *dynamicpb.Message, given []byte) error {
	if len(c.Fields) > 0 {
		return setFields(request, c.Fields)
	}
	if err := protojson.Unmarshal(given, request); err != nil {
		return fmt.Errorf("request on stdin: %w", err)
	}
	return nil
}

// show prints the answer.
func (c *queryCommand) show(top *cli, response *dynamicpb.Message, receipt client.Receipt) error {
	var withheld []string
	if receipt.Withheld != "" {
		withheld = strings.Split(receipt.Withheld, ",")
	}
	if top.JSON {
		raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(response)
		if err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		return printJSON(answered{Answer: raw, Exchange: receipt.Exchange, Withheld: withheld, Ledger: receipt.Position, Receipt: receipt.Key})
	}
	if err := printTable([]string{"FIELD", "VALUE", "MEANING"}, rowsOf(response)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nexchange %s\n", receipt.Exchange)
	if len(withheld) > 0 {
		fmt.Fprintf(stdout, "withheld %s\n", strings.Join(withheld, ", "))
	}
	if receipt.Position != "" {
		fmt.Fprintf(stdout, "ledger   %s\n", receipt.Position)
	}
	if receipt.Key != "" {
		fmt.Fprintf(stdout, "receipt  %s\n", receipt.Key)
	}
	return nil
}
