package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agreementID names what a command is about.
type agreementID struct {
	ID string `arg:"" name:"id" help:"The agreement; see: lienthong agreement list."`
}

// waitingFlags name a version that waits.
type waitingFlags struct {
	Number int64 `name:"number" help:"Version that is meant (default: the one that waits)." placeholder:"VERSION"`
}

// reasonFlag is why something is done.
type reasonFlag struct {
	Reason string `help:"Why, in words: one line, which the ledger keeps for ever; never a person's number." placeholder:"TEXT"`
}

// agreementSubmit submits a draft.
type agreementSubmit struct {
	agreementID
	waitingFlags
	agreementFlags
}

// Run submits.
func (c *agreementSubmit) Run(ctx context.Context, top *cli) error {
	return c.act(ctx, top, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		r, err := settle(ctx, a, a.SubmitAgreement, &hubv1.SubmitAgreementRequest{Id: c.ID, Version: c.Number})
		return r.GetAgreement(), err
	})
}

// act does something to an agreement and shows what has become of it.
func (f *agreementFlags) act(ctx context.Context, top *cli, do func(context.Context, *agreementHub) (*hubv1.AgreementVersion, error)) error {
	a, err := f.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	v, err := do(ctx, a)
	if err != nil {
		return err
	}
	return printVersion(top, v)
}

func printVersion(top *cli, v *hubv1.AgreementVersion) error {
	if top.JSON {
		return printJSON(plain(v.ProtoReflect()))
	}
	return printAgreements(top, []*hubv1.AgreementVersion{v})
}

// agreementApprove approves.
type agreementApprove struct {
	agreementID
	waitingFlags
	Digest string `help:"Digest of the document that was read (lienthong agreement show): nothing else is approved. Default: of what waits now, which is printed." placeholder:"HEX"`
	yesFlag

	agreementFlags
}

// Help is shown below the command's usage.
func (agreementApprove) Help() string {
	return `A steward approves for the provider, an operator for the hub. An officer must be named, and whoever proposed or approved
it cannot approve it once more. With the second approval the agreement is in force.

  lienthong agreement approve H27-G01-population --as G01/steward --officer an --yes`
}

// Run approves what it shows, or only shows it.
func (c *agreementApprove) Run(ctx context.Context, top *cli) error {
	digest, err := hex.DecodeString(c.Digest)
	if err != nil || c.Digest != "" && len(digest) != 32 {
		return usage("--digest: expected 64 hexadecimal digits, as lienthong agreement show prints them")
	}
	return c.act(ctx, top, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		q := &hubv1.ApproveAgreementRequest{Id: c.ID, Version: c.Number, Digest: digest}
		if len(digest) == 0 || !c.Yes {
			if err := c.look(ctx, a, q); err != nil {
				return nil, err
			}
		}
		r, err := settle(ctx, a, a.ApproveAgreement, q)
		return r.GetAgreement(), err
	})
}

// look prints what waits, and binds the approval to it. It fails if the approval is not meant yet.
func (c *agreementApprove) look(ctx context.Context, a *agreementHub, q *hubv1.ApproveAgreementRequest) error {
	found, err := settle(ctx, a, a.GetAgreement, &hubv1.GetAgreementRequest{Id: c.ID})
	if err != nil {
		return err
	}
	for _, v := range found.GetVersions() {
		if v.GetState() != hubv1.AgreementState_AGREEMENT_STATE_PROPOSED || q.GetVersion() != 0 && v.GetAgreement().GetVersion() != q.GetVersion() {
			continue
		}
		if a.top.JSON {
			if !c.Yes {
				err = printVersion(a.top, v)
			}
		} else if err = printTable([]string{"PART", "VALUE"}, versionRows(v)); err == nil {
			_, err = fmt.Fprintln(stdout)
		}
		if err == nil && !c.Yes {
			err = usage("nothing was approved yet; add --yes, and it is approved as it stands there")
		}
		if len(q.GetDigest()) == 0 {
			q.Version, q.Digest = v.GetAgreement().GetVersion(), v.GetDigest()
		}
		return err
	}
	if !c.Yes {
		return usage("nothing of it waits for approval; see: lienthong agreement show %s", c.ID)
	}
	return nil // the hub says why there is nothing to approve
}

// agreementRefuse refuses.
type agreementRefuse struct {
	agreementID
	waitingFlags
	Ground string `required:"" help:"Legal reason: secret, purpose-unlawful, fields-excessive, not-the-source, consumer-unsafe or ground-missing." placeholder:"WORD"`
	reasonFlag

	agreementFlags
}

// Help is shown below the command's usage.
func (agreementRefuse) Help() string {
	return `A steward refuses for the provider, an operator for the hub. The legal reasons:

  secret            the data is classified
  purpose-unlawful  the purpose has no basis in law, or the data is not needed for it
  fields-excessive  more fields than the purpose needs
  not-the-source    the registry is not the single source of what is asked for
  consumer-unsafe   the consumer's system is not assessed, or below safety level 3
  ground-missing    the consent, or the decision that an emergency needs, is missing

  lienthong agreement refuse H27-G01-population --ground fields-excessive --reason "the sex is not needed" --as G01/steward`
}

// Run refuses.
func (c *agreementRefuse) Run(ctx context.Context, top *cli) error {
	ground, ok := hubv1.RefusalGround_value["REFUSAL_GROUND_"+strings.ToUpper(strings.ReplaceAll(c.Ground, "-", "_"))]
	if !ok || ground == 0 {
		return usage("--ground %q is no legal reason; expected secret, purpose-unlawful, fields-excessive, not-the-source, consumer-unsafe or ground-missing", c.Ground)
	}
	return c.act(ctx, top, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		r, err := settle(ctx, a, a.RefuseAgreement, &hubv1.RefuseAgreementRequest{Id: c.ID, Version: c.Number, Ground: hubv1.RefusalGround(ground), Reason: c.Reason})
		return r.GetAgreement(), err
	})
}

// yesFlag guards what begins or stops somebody's work.
type yesFlag struct {
	Yes bool `help:"Do it. Without this, only say what would be done."`
}

// agreementTurn is what the commands share that turn an agreement off, on, or off for good.
type agreementTurn struct {
	agreementID
	reasonFlag
	yesFlag

	agreementFlags
}

// turn turns an agreement, or shows it and says what was not done yet.
func (c *agreementTurn) turn(ctx context.Context, top *cli, undone string, do func(context.Context, *agreementHub) (*hubv1.AgreementVersion, error)) error {
	if c.Yes {
		return c.act(ctx, top, do)
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	found, err := settle(ctx, a, a.GetAgreement, &hubv1.GetAgreementRequest{Id: c.ID})
	if err != nil {
		return err
	}
	if err := printVersion(top, deciding(found.GetVersions())); err != nil {
		return err
	}
	return usage("%s", undone)
}

// agreementSuspend suspends.
type agreementSuspend struct{ agreementTurn }

// Run suspends, or says what it would suspend.
func (c *agreementSuspend) Run(ctx context.Context, top *cli) error {
	const undone = "nothing was suspended yet; add --yes, and the next call under it is refused"
	return c.turn(ctx, top, undone, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		r, err := settle(ctx, a, a.SuspendAgreement, &hubv1.SuspendAgreementRequest{Id: c.ID, Reason: c.Reason})
		return r.GetAgreement(), err
	})
}

// agreementResume resumes.
type agreementResume struct{ agreementTurn }

// Run resumes, or says what it would resume.
func (c *agreementResume) Run(ctx context.Context, top *cli) error {
	const undone = "nothing was resumed yet; add --yes, and it is in force again"
	return c.turn(ctx, top, undone, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		r, err := settle(ctx, a, a.ResumeAgreement, &hubv1.ResumeAgreementRequest{Id: c.ID, Reason: c.Reason})
		return r.GetAgreement(), err
	})
}

// agreementTerminate terminates.
type agreementTerminate struct{ agreementTurn }

// Run terminates, or says what it would terminate.
func (c *agreementTerminate) Run(ctx context.Context, top *cli) error {
	const undone = "nothing was terminated yet; add --yes: it cannot be undone, and what waits for approval ends with it"
	return c.turn(ctx, top, undone, func(ctx context.Context, a *agreementHub) (*hubv1.AgreementVersion, error) {
		r, err := settle(ctx, a, a.TerminateAgreement, &hubv1.TerminateAgreementRequest{Id: c.ID, Reason: c.Reason})
		return r.GetAgreement(), err
	})
}
