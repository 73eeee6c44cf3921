package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

type identityAdmit struct {
	ID    string   `arg:"" name:"system" help:"AGENCY/SYSTEM."`
	Roles []string `help:"What the system may be: consumer, provider, operator, steward, auditor or portal (default: as it was; a new one is a consumer)."`
	Title string   `help:"Its name for people, Vietnamese."`
}

// Run admits. A system that was revoked is let back in: certificates that begin from now on are accepted.
func (c *identityAdmit) Run(ctx context.Context, top *cli) error {
	id, err := peer.ParseID(c.ID)
	if err != nil {
		return usage("%q: %w", c.ID, err)
	}
	var roles member.Roles
	if len(c.Roles) > 0 {
		if roles, err = member.ParseRoles(c.Roles); err != nil {
			return usage("--roles: %w", err)
		}
	}
	return top.changeMembers(ctx, func(ctx context.Context, tx *state.Tx) error {
		return member.Admit(ctx, tx, id, roles, member.Title{VI: c.Title})
	})
}

type identitySuspend struct {
	ID  string `arg:"" name:"system" help:"AGENCY/SYSTEM."`
	Yes bool   `help:"Do it. Without this, only say what would be done."`
}

// Run suspends.
func (c *identitySuspend) Run(ctx context.Context, top *cli) error {
	return top.ifYes(ctx, c.Yes, "calls of "+c.ID+" are refused until it is resumed", setStatus(c.ID, member.Suspended))
}

type identityResume struct {
	ID string `arg:"" name:"system" help:"AGENCY/SYSTEM."`
}

// Run resumes.
func (c *identityResume) Run(ctx context.Context, top *cli) error {
	return top.changeMembers(ctx, setStatus(c.ID, member.Active))
}

func setStatus(text string, status member.Status) func(context.Context, *state.Tx) error {
	return func(ctx context.Context, tx *state.Tx) error {
		id, err := peer.ParseID(text)
		if err != nil {
			return err
		}
		s, err := member.FindSystem(ctx, tx.Tx, id)
		if err != nil {
			return err
		}
		s.Status = status
		return member.SetSystem(ctx, tx, s)
	}
}

type identityTrust struct {
	CA     string   `arg:"" name:"ca" help:"Certificate of the authority, PEM." type:"existingfile"`
	Agency []string `help:"Codes of the agencies for which it vouches." required:"" placeholder:"CODE"`
	Yes    bool     `help:"Do it. Without this, only say what would be done."`
}

// authorityEntry is another authority in JSON.
type authorityEntry struct {
	Fingerprint string    `json:"fingerprint"`
	Subject     string    `json:"subject"`
	Agencies    []string  `json:"agencies"`
	Added       time.Time `json:"added"`
	NotAfter    time.Time `json:"not_after"`
}

func authorityOf(ca member.GivenCA) authorityEntry {
	return authorityEntry{Fingerprint: ca.Fingerprint, Subject: ca.Certificate.Subject.String(), Agencies: ca.Agencies, Added: ca.Added, NotAfter: ca.Certificate.NotAfter}
}

// Run trusts.
func (c *identityTrust) Run(ctx context.Context, top *cli) error {
	info, err := os.Stat(c.CA)
	if err == nil && info.Size() > 1<<20 {
		return usage("%s is no certificate: it has %d bytes", c.CA, info.Size())
	}
	text, err := os.ReadFile(c.CA)
	if err != nil {
		return err
	}
	what := "certificates of this authority are believed for systems of " + strings.Join(c.Agency, ", ") + ", and for no other; the systems are made members by: lienthong identity admit"
	return top.ifYes(ctx, c.Yes, what, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.TrustCA(ctx, tx, text, c.Agency)
		return err
	})
}

type identityUntrust struct {
	Fingerprint string `arg:"" help:"SHA-256 of the authority's certificate, at least its first 8 digits; see: lienthong identity trusted."`
	Yes         bool   `help:"Do it. Without this, only say what would be done."`
}

// Run untrusts.
func (c *identityUntrust) Run(ctx context.Context, top *cli) error {
	return top.ifYes(ctx, c.Yes, "calls with certificates of this authority are refused", func(ctx context.Context, tx *state.Tx) error {
		_, err := member.UntrustCA(ctx, tx, c.Fingerprint)
		return err
	})
}

type identityTrusted struct{}

// Run lists.
func (c *identityTrusted) Run(ctx context.Context, top *cli) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var all []member.GivenCA
	err = db.InReadTx(ctx, func(tx *sql.Tx) error {
		all, err = member.ListGiven(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	entries := []authorityEntry{}
	var rows [][]string
	for _, ca := range all {
		e := authorityOf(ca)
		entries = append(entries, e)
		rows = append(rows, []string{e.Fingerprint, e.Subject, strings.Join(e.Agencies, ","), e.NotAfter.Local().Format(time.DateOnly)})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"AUTHORITY", "SUBJECT", "FOR", "VALID UNTIL"}, rows)
}
