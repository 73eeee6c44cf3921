package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// identityCommand is about the identities that the hub's own authority issues.
type identityCommand struct {
	List   identityList   `cmd:"" help:"List certificates that were issued."`
	Issue  identityIssue  `cmd:"" help:"Issue a key and certificate to a system, and make it a member."`
	Renew  identityRenew  `cmd:"" help:"Make a new key and certificate like the last one of a system."`
	Revoke identityRevoke `cmd:"" help:"Revoke a certificate, or a system with all it has; the next call with it is refused."`

	Request identityRequest `cmd:"" help:"Make a key, and the request for a certificate that its owner hands to the hub's operators; no hub is needed."`
	Approve identityApprove `cmd:"" help:"Sign such a request, and make its system a member."`

	Admit   identityAdmit   `cmd:"" help:"Make a system a member that has its certificates from an authority of its own, or change its roles."`
	Suspend identitySuspend `cmd:"" help:"Suspend a system: its calls are refused, until it is resumed."`
	Resume  identityResume  `cmd:"" help:"Let a system that was suspended call again."`

	Trust   identityTrust   `cmd:"" help:"Believe another authority's certificates, for some agencies and for no other."`
	Untrust identityUntrust `cmd:"" help:"Believe another authority no longer."`
	Trusted identityTrusted `cmd:"" help:"List the other authorities that are believed."`
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

// office is the authority of a directory, and what was changed through it.
type office struct {
	*authority.Authority
	top  *cli
	db   *state.DB
	made []state.Made
}

// openAuthority opens the authority of a directory that has one; it does not make one by accident. The caller closes it.
func openAuthority(ctx context.Context, top *cli) (*office, error) {
	if _, err := os.Stat(top.dir().CA()); err != nil {
		return nil, fmt.Errorf("no authority in %s; one is made by: lienthong up --dir %s (%w)", top.Dir, top.Dir, err)
	}
	db, err := top.openState(ctx)
	if err != nil {
		return nil, err
	}
	a, err := authority.Open(top.Dir, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the authority in %s: %w", top.Dir, err), db.Close())
	}
	o := &office{top: top, db: db}
	o.Authority = a.As(machine, func(made state.Made) { o.made = append(o.made, made) })
	return o, nil
}

// close tells the hub that runs what was changed, and closes the state.
func (o *office) close(ctx context.Context, err *error) {
	for _, made := range o.made {
		*err = errors.Join(*err, o.top.changed(ctx, o.db, made))
	}
	*err = errors.Join(*err, o.db.Close())
}

type identityList struct {
	All bool `help:"Also those that have expired or were replaced."`
}

// Run lists.
func (c *identityList) Run(ctx context.Context, top *cli) (err error) {
	a, err := openAuthority(ctx, top)
	if err != nil {
		return err
	}
	defer a.close(ctx, &err)
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
func (c *identityIssue) Run(ctx context.Context, top *cli) (err error) {
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
	a, err := openAuthority(ctx, top)
	if err != nil {
		return err
	}
	defer a.close(ctx, &err)
	record, err := a.Issue(authority.Order{
		ID: id, Title: member.Title{VI: c.Title}, Roles: roles, Validity: c.Life, Server: isServer(roles, c.Hosts), Hosts: c.Hosts,
	})
	if err != nil {
		return misordered(err)
	}
	return printIssued(top, record)
}

// isServer reports whether a system is connected to, as well as connecting.
func isServer(roles member.Roles, hosts []string) bool {
	return len(hosts) > 0 || roles.Has(member.Gateway) || roles.Has(member.Provider)
}

// misordered is an error of an order, as one of the command where it is the order that is wrong.
func misordered(err error) error {
	for _, wrong := range []error{member.ErrAgencyUnknown, member.ErrAgencyClosed, member.ErrSystemUnknown, member.ErrUnsafe, authority.ErrOutside, authority.ErrRequest, authority.ErrUnknown} {
		if errors.Is(err, wrong) {
			return usage("%w", err)
		}
	}
	return err
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
func (c *identityRenew) Run(ctx context.Context, top *cli) (err error) {
	id, err := peer.ParseID(c.ID)
	if err != nil {
		return usage("%q: %w", c.ID, err)
	}
	a, err := openAuthority(ctx, top)
	if err != nil {
		return err
	}
	defer a.close(ctx, &err)
	record, err := a.Renew(id)
	if err != nil {
		return misordered(err)
	}
	return printIssued(top, record)
}

type identityRevoke struct {
	Which string `arg:"" name:"system-or-serial" help:"AGENCY/SYSTEM for all its certificates, or one serial number."`
	Yes   bool   `help:"Do it. Without this, only say what would be revoked."`
}

// Run revokes, or says what it would revoke. When it returns, gateways that run from this directory refuse the
// certificate.
func (c *identityRevoke) Run(ctx context.Context, top *cli) (err error) {
	a, err := openAuthority(ctx, top)
	if err != nil {
		return err
	}
	defer a.close(ctx, &err)
	if !c.Yes {
		return c.preview(ctx, top, a)
	}
	records, err := a.Revoke(c.Which)
	if err != nil {
		return misordered(err)
	}
	return printCertificates(top, records)
}

func (c *identityRevoke) preview(ctx context.Context, top *cli, a *office) error {
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
	known, err := c.system(ctx, a)
	if err != nil {
		return err
	}
	if len(found) == 0 && !known {
		return usage("%q: nothing to revoke; see: lienthong identity list", c.Which)
	}
	if err := printCertificates(top, found); err != nil {
		return err
	}
	if known {
		return usage("nothing was revoked yet; add --yes to revoke what is listed, it cannot be undone, and to refuse %s whoever certifies it, until a certificate is issued to it again", c.Which)
	}
	return usage("nothing was revoked yet; add --yes to revoke what is listed, it cannot be undone")
}

// system reports whether it is a system that is to be revoked.
func (c *identityRevoke) system(ctx context.Context, a *office) (known bool, err error) {
	id, err := peer.ParseID(c.Which)
	if err != nil {
		return false, nil
	}
	err = a.db.InReadTx(ctx, func(tx *sql.Tx) error {
		_, err := member.FindSystem(ctx, tx, id)
		known = err == nil
		if errors.Is(err, member.ErrSystemUnknown) {
			return nil
		}
		return err
	})
	return known, err
}
