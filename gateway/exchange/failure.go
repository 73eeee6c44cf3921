package exchange

import (
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/reason"
)

// hubsOwn are the reasons that only the hub gives: about who asks, what was agreed, the metadata, and its own parts.
// From a connector they would make the consumer look for the fault in the wrong place.
var hubsOwn = map[reason.Reason]bool{
	reason.IdentityUnknown: true, reason.CertificateRevoked: true, reason.CertificateExpired: true, reason.SystemSuspended: true,
	reason.NotAConsumer: true, reason.AgencyClosed: true, reason.OfficerUnknown: true, reason.CaseInvalid: true,
	reason.ConsumerSuspended: true, reason.AgreementProposed: true, reason.AgreementSuspended: true, reason.AgreementTerminated: true,
	reason.ConsentRequired: true, reason.QuotaExceeded: true, reason.FrequencyExceeded: true, reason.EnumerationStopped: true, reason.ServiceNotOfficial: true,
	reason.ServicePlannedStop: true, reason.PolicyStale: true, reason.ActNotAllowed: true, reason.AgreementUnknown: true,
	reason.AgreementInvalid: true, reason.VersionConflict: true, reason.StateWrong: true, reason.SelfApproval: true,
	reason.NoAgreement: true, reason.MethodNotAgreed: true, reason.AgreementExpired: true, reason.AgreementNotYet: true,
	reason.PurposeRequired: true, reason.PurposeNotAgreed: true, reason.CaseRequired: true, reason.OfficerRequired: true,
	reason.FieldsNotAgreed: true, reason.FieldUnknown: true, reason.MetadataInvalid: true, reason.RequestTooLarge: true,
	reason.ServiceUnknown: true, reason.DeadlineTooShort: true, reason.BusOffline: true, reason.LedgerUnavailable: true,
	reason.Internal: true, reason.JurisdictionNotServed: true,
	reason.Cancelled: true, // whoever has gone away does not hear an answer
}

// failure turns an answer that is not OK into a fault. Only the registered reason crosses the bus, and a field only
// if the request has it: a connector could name something else instead.
func (x *exchange) failure() error {
	if codes.Code(x.answered.GetStatus()) == codes.OK {
		return nil
	}
	r := reason.Reason(x.answered.GetReason())
	switch {
	case !r.Registered():
		return reason.RegistryFailed.Because(errReason)
	case hubsOwn[r]:
		return reason.RegistryFailed.Because(errOverstep)
	}
	f := &reason.Fault{Reason: r}
	if path := x.answered.GetFaultField(); hasField(x.method.Input, path) {
		f.Field = path
	}
	return f
}

const (
	maxItem = 999 // highest number that may count an item of a list: BatchVerify takes 1,000
	maxPath = 128 // bytes
)

// hasField reports whether the message has a field at the path. One number after a list counts one of its items; any
// more of them could be a message.
func hasField(m protoreflect.MessageDescriptor, path string) bool {
	if len(path) > maxPath {
		return false
	}
	var list bool // the name before was a list's, and no number came yet
	for name := range strings.SplitSeq(path, ".") {
		if list && isItem(name) {
			list = false
			continue
		}
		if m == nil {
			return false
		}
		field := m.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return false
		}
		m, list = field.Message(), field.IsList()
	}
	return true
}

// isItem reports whether s is a number up to maxItem, written as such numbers are.
func isItem(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n <= maxItem && strconv.FormatUint(n, 10) == s
}
