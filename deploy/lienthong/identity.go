package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/proto/peer"
)

// identityCommand is about the identities that the hub's own authority issues.
type identityCommand struct {
	List   identityList   `cmd:"" help:"List certificates that were issued."`
	Issue  identityIssue  `cmd:"" help:"Issue a key and certificate to a system, and make it a member."`
	Renew  identityRenew  `cmd:"" help:"Make a new key and certificate like the last one of a system."`
	Revoke identityRevoke `cmd:"" help:"Revoke a certificate, or all of a system; the next call with it is refused."`
}

// certificateEntry is an issued certificate in JSON.
type certificateEntry struct {
	ID       string    `json:"id"`
	Serial   string    `json:"serial"`
	Roles    []string  `json:"roles"`
	State    string    `json:"state"`
	NotAfter time.Time `json:"not_after"`
	Cert     string    `json:"cert"`
	Key      string    `json:"key"`
}

func entryOfRecord(top *cli, r authority.Record) certificateEntry {
	cert, key, _ := authority.Files(top.Dir, r.ID)
	return certificateEntry{
		ID: r.ID.String(), Serial: r.Serial, Roles: r.Roles.Names(), State: string(r.State(time.Now())),
		NotAfter: r.NotAfter, Cert: cert, Key: key,
	}
}

func printCertificates(top *cli, records []authority.Record) error {
	entries := []certificateEntry{}
	var rows [][]string
	for _, r := range records {
		e := entryOfRecord(top, r)
		entries = append(entries, e)
		rows = append(rows, []string{e.ID, strings.Join(e.Roles, ","), e.State, e.NotAfter.Local().Format("2006-01-02"), e.Serial})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"SYSTEM", "ROLES", "STATE", "VALID UNTIL", "SERIAL"}, rows)
}

// openAuthority opens the authority of a directory that has one; it does not make one by accident.
func openAuthority(top *cli) (*authority.Authority, error) {
	if _, err := os.Stat(top.dir().CA()); err != nil {
		return nil, fmt.Errorf("no authority in %s; one is made by: lienthong up --dir %s (%w)", top.Dir, top.Dir, err)
	}
	a, err := authority.Open(top.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the authority in %s: %w", top.Dir, err)
	}
	return a, nil
}

type identityList struct {
	All bool `help:"Also those that have expired or were replaced."`
}

// Run lists.
func (c *identityList) Run(top *cli) error {
	a, err := openAuthority(top)
	if err != nil {
		return err
	}
	records, err := a.List()
	if err != nil {
		return err
	}
	var shown []authority.Record
	for _, r := range records {
		state := r.State(time.Now())
		if c.All || (state != authority.Expired && state != authority.Superseded) {
			shown = append(shown, r)
		}
	}
	return printCertificates(top, shown)
}

type identityIssue struct {
	ID    string        `arg:"" name:"system" help:"AGENCY/SYSTEM, such as H27.08/clinic."`
	Roles []string      `help:"What the system may be: consumer, provider, operator, steward, auditor, gateway or portal." default:"consumer"`
	Title string        `help:"Its name for people, Vietnamese."`
	Life  time.Duration `help:"How long the certificate is valid (default: 90 days, 30 days for servers)."`
	Hosts []string      `help:"Host names and addresses, for a server." placeholder:"HOST"`
}

// Run issues.
func (c *identityIssue) Run(top *cli) error {
	id, err := peer.ParseID(c.ID)
	if err != nil {
		return usage("%q: %w", c.ID, err)
	}
	roles, err := member.ParseRoles(c.Roles)
	if err != nil {
		return usage("--roles: %w", err)
	}
	if c.Life < 0 {
		return usage("--life is %v; it must be more than 0", c.Life)
	}
	a, err := openAuthority(top)
	if err != nil {
		return err
	}
	server := len(c.Hosts) > 0 || roles.Has(member.Gateway) || roles.Has(member.Provider)
	record, err := a.Issue(authority.Order{
		ID: id, Title: member.Title{VI: c.Title}, Roles: roles, Validity: c.Life, Server: server, Hosts: c.Hosts,
	})
	if err != nil {
		return err
	}
	return printIssued(top, record)
}

// printIssued shows a new certificate and where it lies.
func printIssued(top *cli, record authority.Record) error {
	err := printCertificates(top, []authority.Record{record})
	if err == nil && !top.JSON {
		e := entryOfRecord(top, record)
		_, err = fmt.Fprintf(stdout, "\ncertificate %s\nkey         %s\n", e.Cert, e.Key)
	}
	return err
}

type identityRenew struct {
	ID string `arg:"" name:"system" help:"AGENCY/SYSTEM."`
}

// Run renews.
func (c *identityRenew) Run(top *cli) error {
	id, err := peer.ParseID(c.ID)
	if err != nil {
		return usage("%q: %w", c.ID, err)
	}
	a, err := openAuthority(top)
	if err != nil {
		return err
	}
	record, err := a.Renew(id)
	if errors.Is(err, authority.ErrUnknown) {
		return usage("%q: %w", c.ID, err)
	}
	if err != nil {
		return err
	}
	return printIssued(top, record)
}

type identityRevoke struct {
	Which string `arg:"" name:"system-or-serial" help:"AGENCY/SYSTEM for all its certificates, or one serial number."`
	Yes   bool   `help:"Do it. Without this, only say what would be revoked."`
}

// noticed is how long gateways take at most to see that a certificate was revoked: they look twice a second.
const noticed = time.Second

// Run revokes, or says what it would revoke. When it returns, gateways that run from this directory refuse the
// certificate.
func (c *identityRevoke) Run(ctx context.Context, top *cli) error {
	a, err := openAuthority(top)
	if err != nil {
		return err
	}
	if !c.Yes {
		return c.preview(top, a)
	}
	records, err := a.Revoke(c.Which)
	if errors.Is(err, authority.ErrUnknown) {
		return usage("%q: %w", c.Which, err)
	}
	if err != nil {
		return err
	}
	select {
	case <-time.After(noticed):
	case <-ctx.Done():
	}
	return printCertificates(top, records)
}

func (c *identityRevoke) preview(top *cli, a *authority.Authority) error {
	records, err := a.List()
	if err != nil {
		return err
	}
	var found []authority.Record
	for _, r := range records {
		state := r.State(time.Now())
		if (r.ID.String() == c.Which || r.Serial == c.Which) && state != authority.Expired && state != authority.Revoked {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return usage("%q: nothing to revoke; see: lienthong identity list", c.Which)
	}
	if err := printCertificates(top, found); err != nil {
		return err
	}
	return usage("nothing was revoked yet; add --yes to revoke what is listed, it cannot be undone")
}
