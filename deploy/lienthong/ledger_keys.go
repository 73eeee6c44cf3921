package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerToken makes a citizen's token.
type ledgerToken struct {
	Life time.Duration `help:"How long it is taken: at most 1h (default: ${default})." default:"15m" placeholder:"DURATION"`

	ledgerFlags
}

// citizenToken is a token in JSON.
type citizenToken struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

// Run makes it. Whoever has it reads that person's list, and nothing else.
func (c *ledgerToken) Run(ctx context.Context, top *cli) error {
	if c.Life < time.Second || c.Life > time.Hour {
		return usage("--life is %v; choose 1s to 1h", c.Life)
	}
	subject, err := readSubject(ctx, "personal")
	if err != nil {
		return err
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	made, err := asked(ctx, l, l.IssueCitizenToken, &hubv1.IssueCitizenTokenRequest{Subject: subject, Lifetime: durationpb.New(c.Life)})
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(citizenToken{made.GetToken(), made.GetExpires().AsTime()})
	}
	fmt.Fprintf(stderr, "lienthong: whoever has this token reads that person's list, until %s +07:00\n", clock(made.GetExpires().AsTime()))
	_, err = fmt.Fprintln(stdout, made.GetToken())
	return err
}

// ledgerRotateKey makes a new key for the hashes of data subjects.
type ledgerRotateKey struct {
	Yes bool `help:"Do it. Without this, only say what would be done."`

	ledgerFlags
}

// Run makes it.
func (c *ledgerRotateKey) Run(ctx context.Context, top *cli) error {
	if !c.Yes {
		return usage("nothing was changed yet; with --yes, people in records from now on are hashed under a new key; those before it stay for looking up, and each makes looking up a little slower")
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	made, err := asked(ctx, l, l.RotateSubjectKey, &hubv1.RotateSubjectKeyRequest{})
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(map[string]uint32{"key": made.GetKey()})
	}
	_, err = fmt.Fprintf(stdout, "new records are hashed under key %d; make a backup: keys that are lost make those people's entries impossible to find\n", made.GetKey())
	return err
}
