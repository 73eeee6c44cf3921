package member

// Act is something that somebody may do to the hub's rules, or see of them.
type Act string

// The acts. Those of the hub's machine (lienthong agency, identity, catalog, guard) are not among them: who has the
// machine has its directory.
const (
	SeeAgreement       Act = "see agreements"
	ProposeAgreement   Act = "propose agreements"
	ApproveAgreement   Act = "approve or refuse agreements"
	SuspendAgreement   Act = "suspend and resume agreements"
	TerminateAgreement Act = "terminate agreements"
	ExplainDecision    Act = "explain decisions"
	SuspendConsumer    Act = "suspend and resume consumers"
	SeeSuspension      Act = "see suspended consumers"
	SeeProposals       Act = "see how providers deal with proposals"
	ConfirmDestruction Act = "confirm destruction"
	SeeOverdue         Act = "see what should have been destroyed"
	EnrolOfficer       Act = "enrol officers"
	DisableOfficer     Act = "disable officers"
	SeeOfficers        Act = "see officers"
)

// Reach is how far an act goes. The zero value is nowhere.
type Reach uint8

// Reaches. They can be joined.
const (
	AsConsumer Reach = 1 << iota // where the own agency is the consumer, or for the own agency itself
	AsProvider                   // where the own agency is the provider
	Everywhere
)

// rights is the one table of who may do what. What is not in it may not be done. A citizen is nobody here: the ledger
// alone answers citizens.
var rights = map[Act]map[Roles]Reach{
	SeeAgreement:       {Consumer: AsConsumer, Steward: AsProvider, Provider: AsProvider, Operator: Everywhere, Auditor: Everywhere},
	ProposeAgreement:   {Consumer: AsConsumer, Operator: Everywhere},
	ApproveAgreement:   {Steward: AsProvider, Operator: Everywhere}, // an operator for the hub, a steward for the provider
	SuspendAgreement:   {Steward: AsProvider, Operator: Everywhere},
	TerminateAgreement: {Consumer: AsConsumer, Steward: AsProvider, Operator: Everywhere},
	ExplainDecision:    {Consumer: AsConsumer, Steward: AsProvider, Operator: Everywhere, Auditor: Everywhere},
	SuspendConsumer:    {Steward: AsProvider, Operator: Everywhere},
	SeeSuspension:      {Consumer: AsConsumer, Steward: AsProvider, Operator: Everywhere, Auditor: Everywhere},
	SeeProposals:       {Steward: AsProvider, Operator: Everywhere, Auditor: Everywhere},
	ConfirmDestruction: {Consumer: AsConsumer},
	SeeOverdue:         {Consumer: AsConsumer, Steward: AsProvider, Operator: Everywhere, Auditor: Everywhere},
	EnrolOfficer:       {Consumer: AsConsumer},
	DisableOfficer:     {Consumer: AsConsumer, Operator: Everywhere},
	SeeOfficers:        {Consumer: AsConsumer, Operator: Everywhere, Auditor: Everywhere},
}

// May says how far an act goes for a system with these roles: as far as any of them goes.
func (r Roles) May(act Act) (reach Reach) {
	for role, far := range rights[act] {
		if r.Has(role) {
			reach |= far
		}
	}
	return reach
}

// Covers reports whether the reach takes in what is between a consumer's agency and a provider, for a system of agency.
func (r Reach) Covers(agency, consumer, provider string) bool {
	return r&Everywhere != 0 || r&AsConsumer != 0 && agency == consumer || r&AsProvider != 0 && agency == provider
}
