package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/gateway/client"
)

// queryCommand asks a registry through the hub.
type queryCommand struct {
	Method string   `arg:"" help:"What to ask: SERVICE/METHOD, such as registry.population.v1.PopulationService/GetResidence."`
	Fields []string `arg:"" optional:"" name:"field=value" help:"Request fields; nested with dots, repeated by repeating. Without any, JSON is read from stdin."`

	Purpose string `help:"Coded purpose of the agreement (lt-purpose)." placeholder:"CODE"`
	Case    string `help:"Number of the dossier that the query serves (lt-case)." placeholder:"NUMBER"`
	Officer string `help:"Account name of the officer who asks (lt-officer)." placeholder:"NAME"`
	Only    string `help:"Ask only for these fields of the answer, joined by commas (lt-fields)." placeholder:"FIELDS"`
	Consent string `help:"Reference to the citizen's consent (lt-consent)." placeholder:"REFERENCE"`

	hubFlags `group:"Which hub, and as whom"`
}

// Help is shown below the command's usage.
func (queryCommand) Help() string {
	return `Examples:

  lienthong query registry.population.v1.PopulationService/GetResidence personal_id=042187001234 \
      --as H27/one-stop --purpose CT-TT --case H27-261122-0001
  echo '{"personalId":"042187001234"}' | lienthong query … --json

The exit code is 0 if the hub answered, 1 if it refused or failed (the reason is on stderr), 2 if the command was
called wrongly.`
}

// answered is a query's answer in JSON.
type answered struct {
	Answer   json.RawMessage `json:"answer"`
	Exchange string          `json:"exchange"`
	Withheld []string        `json:"withheld,omitempty"`
}

// Run asks once.
func (c *queryCommand) Run(ctx context.Context, top *cli) error {
	service, method, ok := strings.Cut(strings.TrimPrefix(c.Method, "/"), "/")
	if !ok || service == "" || method == "" {
		return usage("%q is not SERVICE/METHOD; see: lienthong services", c.Method)
	}
	conn, err := c.dial(top)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel, err := c.within(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	desc, err := c.describe(ctx, conn, service, method)
	if err != nil {
		return err
	}
	request := dynamicpb.NewMessage(desc.Input())
	if err := c.read(request); err != nil {
		return usage("%w", err)
	}
	response := dynamicpb.NewMessage(desc.Output())
	words := client.Words{Purpose: c.Purpose, Case: c.Case, Officer: c.Officer, Fields: c.Only, Consent: c.Consent}
	var header, trailer metadata.MD
	err = conn.Invoke(client.With(ctx, words), "/"+service+"/"+method, request, response, grpc.Header(&header), grpc.Trailer(&trailer))
	receipt := client.ReceiptOf(metadata.Join(header, trailer))
	if err != nil {
		return c.fail(err, receipt)
	}
	return c.show(response, receipt)
}

// describe finds the method in the hub's catalog. What the catalog does not have is asked for all the same where
// that can be: the hub refuses it with its reason.
func (c *queryCommand) describe(ctx context.Context, conn *grpc.ClientConn, service, method string) (protoreflect.MethodDescriptor, error) {
	desc, err := client.Describe(ctx, conn, service)
	if err != nil {
		if refusal := client.RefusalOf(err); refusal.Code != "Unknown" {
			return nil, c.fail(err, client.Receipt{})
		}
		return nil, err
	}
	found := desc.Methods().ByName(protoreflect.Name(method))
	if found == nil {
		return nil, usage("%s has no method %s; see: lienthong services %s", service, method, service)
	}
	return found, nil
}

// read fills the request from the arguments, or from JSON on stdin.
func (c *queryCommand) read(request *dynamicpb.Message) error {
	if len(c.Fields) > 0 {
		return setFields(request, c.Fields)
	}
	if request.Descriptor().Fields().Len() == 0 {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, 4<<20))
	if err != nil {
		return fmt.Errorf("read request from stdin: %w", err)
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return fmt.Errorf("no request: give field=value arguments, or JSON on stdin; the fields are listed by: lienthong services %s", request.Descriptor().ParentFile().Package())
	}
	if err := protojson.Unmarshal(data, request); err != nil {
		return fmt.Errorf("request on stdin: %w", err)
	}
	return nil
}

// show prints the answer.
func (c *queryCommand) show(response *dynamicpb.Message, receipt client.Receipt) error {
	var withheld []string
	if receipt.Withheld != "" {
		withheld = strings.Split(receipt.Withheld, ",")
	}
	if c.JSON {
		raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(response)
		if err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		printJSON(answered{Answer: raw, Exchange: receipt.Exchange, Withheld: withheld})
		return nil
	}
	printTable([]string{"FIELD", "VALUE", "MEANING"}, rowsOf(response))
	fmt.Fprintf(stdout, "\nexchange %s\n", receipt.Exchange)
	if len(withheld) > 0 {
		fmt.Fprintf(stdout, "withheld %s\n", strings.Join(withheld, ", "))
	}
	return nil
}
