package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/member/buscreds"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/connector"
)

// Names of the files of an identity that its owner keeps.
const (
	fileRequest = "request.csr"
	fileKey     = "key.pem"
	fileCert    = "cert.pem"
	fileCA      = "ca.pem"
	fileBus     = "nats.creds"
)

type identityRequest struct {
	ID    string   `arg:"" name:"system" help:"AGENCY/SYSTEM, such as H27.08/clinic."`
	Out   string   `help:"Directory for the key, which stays there, and the request (default: ${default})." default:"." placeholder:"DIR"`
	Hosts []string `help:"Host names and addresses, for a server." placeholder:"HOST"`
}

// requested is a request in JSON.
type requested struct {
	ID        string `json:"id"`
	Request   string `json:"request"`
	Key       string `json:"key"`
	KeyDigest string `json:"key_digest"`
}

// Run makes a key and a request.
func (c *identityRequest) Run(top *cli) error {
	id, err := peer.ParseID(c.ID)
	if err != nil {
		return usage("%q: %w", c.ID, err)
	}
	request, key, err := authority.NewRequest(id, c.Hosts)
	if err != nil {
		return usage("%w", err)
	}
	parsed, err := authority.ParseRequest(request)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("make --out: %w", err)
	}
	r := requested{ID: c.ID, Request: filepath.Join(c.Out, fileRequest), Key: filepath.Join(c.Out, fileKey), KeyDigest: parsed.KeyDigest}
	if err := writeNew(r.Key, key); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return usage("%s is there already, and no key is overwritten: choose another directory with --out", r.Key)
		}
		return err
	}
	if err := os.WriteFile(r.Request, request, 0o644); err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	if top.JSON {
		return printJSON(r)
	}
	_, err = fmt.Fprintf(stdout, "request     %s\nkey         %s (nobody else may have it)\nkey digest  %s\n\nSend the request to the hub's operators, and tell them the digest in another way.\n",
		r.Request, r.Key, r.KeyDigest)
	return err
}

// writeNew writes a file for its owner's eyes that must not be there.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

type identityApprove struct {
	Request string        `arg:"" help:"The request, PEM." type:"existingfile"`
	Roles   []string      `help:"What the system may be: consumer, provider, operator, steward, auditor, gateway or portal (default: as it was; a new one is a consumer)."`
	Title   string        `help:"Its name for people, Vietnamese."`
	Life    time.Duration `help:"How long the certificate is valid (default: 90 days, 30 days for servers)."`
	Out     string        `help:"Directory for what its owner is given (default: that of the request)." placeholder:"DIR"`
	Serves  []string      `help:"For a provider: the service that it answers for, and the jurisdiction where it is not the whole country, such as registry.land.v1.LandService@42. Its bus credentials are for that alone." placeholder:"SERVICE"`
	Digest  string        `help:"Digest of the key, as its owner has told it: another one is refused." placeholder:"HEX"`
}

// approved is an approval in JSON.
type approved struct {
	certificateEntry
	Agency    string   `json:"agency"`
	KeyKind   string   `json:"key_kind"`
	KeyDigest string   `json:"key_digest"`
	Hosts     []string `json:"hosts,omitempty"`
	CA        string   `json:"ca"`
	Bus       string   `json:"bus,omitempty"`
}

// Run approves.
func (c *identityApprove) Run(ctx context.Context, top *cli) (err error) {
	if c.Life < 0 {
		return usage("--life is %v; it must be more than 0", c.Life)
	}
	text, err := os.ReadFile(c.Request)
	if err != nil {
		return err
	}
	request, err := authority.ParseRequest(text)
	if err != nil {
		return usage("%s: %w", c.Request, err)
	}
	if c.Digest != "" && !strings.EqualFold(c.Digest, request.KeyDigest) {
		return usage("%s: the digest of its key is %s, not what its owner told: somebody else made it", c.Request, request.KeyDigest)
	}
	a, err := openAuthority(ctx, top)
	if err != nil {
		return err
	}
	defer a.close(ctx, &err)
	d, err := members(ctx, a.db)
	if err != nil {
		return err
	}
	roles, err := c.roles(d, request.ID)
	if err != nil {
		return err
	}
	creds, err := c.bus(top, roles, request.ID)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = filepath.Dir(c.Request)
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return fmt.Errorf("make --out: %w", err)
	}
	record, cert, err := a.Approve(request, authority.Order{
		Title: member.Title{VI: c.Title}, Roles: roles, Validity: c.Life, Server: isServer(roles, nil),
	})
	if err != nil {
		return misordered(err)
	}
	agency, _ := d.Agency(request.ID.Agency)
	r := approved{
		certificateEntry: entryOfRecord(top, record), Agency: agency.NameVI, KeyKind: request.KeyKind, KeyDigest: request.KeyDigest, Hosts: request.Hosts,
		CA: filepath.Join(out, fileCA),
	}
	r.Cert, r.Key = filepath.Join(out, fileCert), ""
	files := map[string][]byte{r.Cert: cert, r.CA: a.CertificatePEM()}
	if creds != nil {
		r.Bus = filepath.Join(out, fileBus)
		if files[r.Bus], err = creds(record.NotAfter); err != nil {
			return fmt.Errorf("certificate %s is issued, but not the credentials of the bus: %w", record.Serial, err)
		}
	}
	for path, data := range files {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fmt.Errorf("certificate %s is issued but not handed out: %w", record.Serial, err)
		}
	}
	return r.print(top)
}

// roles are those of the command; else those that the system has; else it is a consumer.
func (c *identityApprove) roles(d *member.Directory, id peer.ID) (member.Roles, error) {
	if len(c.Roles) > 0 {
		roles, err := member.ParseRoles(c.Roles)
		if err != nil {
			return 0, usage("--roles: %w", err)
		}
		return roles, nil
	}
	if s, ok := d.Lookup(id); ok {
		return s.Roles, nil
	}
	return member.Consumer, nil
}

// bus makes credentials of the bus that are good until a moment, for who needs them; nil for who does not.
func (c *identityApprove) bus(top *cli, roles member.Roles, id peer.ID) (func(until time.Time) ([]byte, error), error) {
	provider, gateway := roles.Has(member.Provider), roles.Has(member.Gateway)
	switch {
	case provider && gateway:
		return nil, usage("--roles: a system is a provider or a gateway, not both")
	case provider && len(c.Serves) == 0:
		return nil, usage("say what %s answers for: --serves SERVICE[@JURISDICTION]", id)
	case !provider && len(c.Serves) > 0:
		return nil, usage("--serves is for providers; %s is none (--roles provider)", id)
	case !provider && !gateway:
		return nil, nil
	}
	b, err := buscreds.Ensure(top.Dir)
	if err != nil {
		return nil, err
	}
	if gateway {
		return func(until time.Time) ([]byte, error) { return b.GatewayCredsUntil(id.System, until) }, nil
	}
	var subjects []buscreds.Subjects
	for _, s := range c.Serves {
		service, jurisdiction, ok := strings.Cut(s, "@")
		if !ok {
			jurisdiction = connector.Country
		}
		subjects = append(subjects, buscreds.Subjects{Jurisdiction: jurisdiction, Service: service})
	}
	if _, err := b.ConnectorCreds(id.System, subjects); err != nil { // before anything is issued
		return nil, usage("--serves: %w", err)
	}
	return func(until time.Time) ([]byte, error) { return b.ConnectorCredsUntil(id.System, subjects, until) }, nil
}

func (r *approved) print(top *cli) error {
	if top.JSON {
		return printJSON(r)
	}
	rows := [][]string{
		{"system", r.ID}, {"agency", r.Agency}, {"roles", strings.Join(r.Roles, ",")}, {"key", r.KeyKind}, {"key digest", r.KeyDigest},
		{"hosts", strings.Join(r.Hosts, ", ")}, {"serial", r.Serial}, {"valid until", r.NotAfter.Local().Format(time.DateOnly)},
		{"certificate", r.Cert}, {"authority", r.CA}, {"bus", r.Bus},
	}
	var shown [][]string
	for _, row := range rows {
		if row[1] != "" {
			shown = append(shown, row)
		}
	}
	return printTable([]string{"APPROVED", ""}, shown)
}
