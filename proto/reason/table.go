package reason

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// What the hub says about the call itself.
const (
	Internal         Reason = "INTERNAL"
	Cancelled        Reason = "CANCELLED"
	DeadlineExceeded Reason = "DEADLINE_EXCEEDED"
	DeadlineTooShort Reason = "DEADLINE_TOO_SHORT"
	RequestTooLarge  Reason = "REQUEST_TOO_LARGE"
	AnswerTooLarge   Reason = "ANSWER_TOO_LARGE"
	RequestMalformed Reason = "REQUEST_MALFORMED"
	MethodUnknown    Reason = "METHOD_UNKNOWN"
	ServiceUnknown   Reason = "SERVICE_UNKNOWN"
	FieldUnknown     Reason = "FIELD_UNKNOWN"
	MetadataInvalid  Reason = "METADATA_INVALID"
	Overloaded       Reason = "OVERLOADED"
	Draining         Reason = "DRAINING"
)

// Who may ask, and for what.
const (
	IdentityUnknown    Reason = "IDENTITY_UNKNOWN"
	CertificateRevoked Reason = "CERTIFICATE_REVOKED"
	CertificateExpired Reason = "CERTIFICATE_EXPIRED"
	SystemSuspended    Reason = "SYSTEM_SUSPENDED"
	NotAConsumer       Reason = "NOT_A_CONSUMER"
	NoAgreement        Reason = "NO_AGREEMENT"
	MethodNotAgreed    Reason = "METHOD_NOT_AGREED"
	AgreementExpired   Reason = "AGREEMENT_EXPIRED"
	AgreementNotYet    Reason = "AGREEMENT_NOT_YET_VALID"
	PurposeRequired    Reason = "PURPOSE_REQUIRED"
	PurposeNotAgreed   Reason = "PURPOSE_NOT_AGREED"
	CaseRequired       Reason = "CASE_REQUIRED"
	OfficerRequired    Reason = "OFFICER_REQUIRED"
	FieldsNotAgreed    Reason = "FIELDS_NOT_AGREED"

	AgencyClosed        Reason = "AGENCY_CLOSED"
	OfficerUnknown      Reason = "OFFICER_UNKNOWN"
	CaseInvalid         Reason = "CASE_INVALID"
	ConsumerSuspended   Reason = "CONSUMER_SUSPENDED"
	AgreementProposed   Reason = "AGREEMENT_PROPOSED"
	AgreementSuspended  Reason = "AGREEMENT_SUSPENDED"
	AgreementTerminated Reason = "AGREEMENT_TERMINATED"
	ConditionNotMet     Reason = "CONDITION_NOT_MET"
	ConsentRequired     Reason = "CONSENT_REQUIRED"
	QuotaExceeded       Reason = "QUOTA_EXCEEDED"
	FrequencyExceeded   Reason = "FREQUENCY_EXCEEDED"
	EnumerationStopped  Reason = "ENUMERATION_STOPPED"
	ServiceNotOfficial  Reason = "SERVICE_NOT_OFFICIAL"
	ServicePlannedStop  Reason = "SERVICE_PLANNED_STOP"
	PolicyStale         Reason = "POLICY_STALE"
)

// What those hear who change the hub's rules.
const (
	ActNotAllowed    Reason = "ACT_NOT_ALLOWED"
	AgreementUnknown Reason = "AGREEMENT_UNKNOWN"
	AgreementInvalid Reason = "AGREEMENT_INVALID"
	VersionConflict  Reason = "VERSION_CONFLICT"
	StateWrong       Reason = "STATE_WRONG"
	SelfApproval     Reason = "SELF_APPROVAL"
)

// Between the hub and a registry.
const (
	RegistryOffline       Reason = "REGISTRY_OFFLINE"
	JurisdictionNotServed Reason = "JURISDICTION_NOT_SERVED"
	BusOffline            Reason = "BUS_OFFLINE"
	SealRefused           Reason = "SEAL_REFUSED"
	ContractMismatch      Reason = "CONTRACT_MISMATCH"
	AnswerMalformed       Reason = "ANSWER_MALFORMED"
	RegistryFailed        Reason = "REGISTRY_FAILED"
	LedgerUnavailable     Reason = "LEDGER_UNAVAILABLE"
)

// What the ledger says to its readers.
const (
	LedgerReadNotAllowed Reason = "LEDGER_READ_NOT_ALLOWED"
	EntryUnknown         Reason = "ENTRY_UNKNOWN"
	FilterInvalid        Reason = "FILTER_INVALID"
	CursorInvalid        Reason = "CURSOR_INVALID"
	TokenInvalid         Reason = "TOKEN_INVALID"
	NotYetProven         Reason = "NOT_YET_PROVEN"
)

// What a registry says about a request.
const (
	IDMalformed         Reason = "ID_MALFORMED"
	DateMalformed       Reason = "DATE_MALFORMED"
	DateInFuture        Reason = "DATE_IN_FUTURE"
	CodeUnknown         Reason = "CODE_UNKNOWN"
	JurisdictionWrong   Reason = "JURISDICTION_WRONG"
	FieldRequired       Reason = "FIELD_REQUIRED"
	FieldInvalid        Reason = "FIELD_INVALID"
	BatchTooLarge       Reason = "BATCH_TOO_LARGE"
	PageTokenInvalid    Reason = "PAGE_TOKEN_INVALID"
	IdempotencyConflict Reason = "IDEMPOTENCY_CONFLICT"
	PersonNotFound      Reason = "PERSON_NOT_FOUND"
	PersonDeceased      Reason = "PERSON_DECEASED"
	AlreadyRegistered   Reason = "ALREADY_REGISTERED"
	AlreadyMarried      Reason = "ALREADY_MARRIED"
	UnderAge            Reason = "UNDER_AGE"
	NumbersExhausted    Reason = "NUMBERS_EXHAUSTED"
	NotEntitled         Reason = "NOT_ENTITLED"
	NumberDisagrees     Reason = "NUMBER_DISAGREES"
	KinTooClose         Reason = "KIN_TOO_CLOSE"
)

// forms is the one table. A reason that is not here does not exist.
var forms = map[Reason]Form{
	Internal:         {codes.Internal, http.StatusInternalServerError, Hub, "the hub failed; give the exchange id to its operators"},
	Cancelled:        {codes.Canceled, 499, Caller, "the call was cancelled by the caller"},
	DeadlineExceeded: {codes.DeadlineExceeded, http.StatusGatewayTimeout, Provider, "the registry or the ledger did not answer before the deadline; ask again, with a later deadline if it was short"},
	DeadlineTooShort: {codes.DeadlineExceeded, http.StatusGatewayTimeout, Caller, "the deadline leaves no time to ask the registry; allow at least 100 ms in all"},
	RequestTooLarge:  {codes.ResourceExhausted, http.StatusRequestEntityTooLarge, Caller, "the request is over 256 KiB; ask for fewer people in a call"},
	AnswerTooLarge:   {codes.ResourceExhausted, http.StatusInsufficientStorage, Caller, "the answer is over 1 MiB; ask for a smaller page"},
	RequestMalformed: {codes.InvalidArgument, http.StatusBadRequest, Caller, "the request is not a message of this method; compare it with the published contract (lienthong services)"},
	MethodUnknown:    {codes.Unimplemented, http.StatusNotFound, Caller, "the catalog has no such method; list what it has with: lienthong services"},
	ServiceUnknown:   {codes.Unimplemented, http.StatusNotFound, Caller, "the catalog has no such service; list what it has with: lienthong services"},
	FieldUnknown:     {codes.InvalidArgument, http.StatusBadRequest, Caller, "lt-fields names a field that the answer does not have; list its fields with: lienthong services SERVICE"},
	MetadataInvalid:  {codes.InvalidArgument, http.StatusBadRequest, Caller, "the metadata entry is too long, repeated or has characters that are not allowed; send it once, at most 128 printable characters, without blanks around them"},
	Overloaded:       {codes.ResourceExhausted, http.StatusTooManyRequests, Provider, "the registry or the ledger has more calls than it can take; ask again after a pause"},
	Draining:         {codes.Unavailable, http.StatusServiceUnavailable, Hub, "this part is stopping; ask again"},

	IdentityUnknown:    {codes.Unauthenticated, http.StatusUnauthorized, Caller, "the certificate names no system that this hub knows; ask the hub's operators for an identity"},
	CertificateRevoked: {codes.Unauthenticated, http.StatusUnauthorized, Caller, "the certificate was revoked; ask the hub's operators for a new one"},
	CertificateExpired: {codes.Unauthenticated, http.StatusUnauthorized, Caller, "the certificate has expired since the connection was opened; connect again with a renewed one"},
	SystemSuspended:    {codes.PermissionDenied, http.StatusForbidden, Hub, "this system is suspended; ask the hub's operators why"},
	NotAConsumer:       {codes.PermissionDenied, http.StatusForbidden, Caller, "this system may not ask registries, whatever was agreed; ask as one that may, or have the hub's operators make it a consumer"},
	NoAgreement:        {codes.PermissionDenied, http.StatusForbidden, Parties, "no agreement lets this system ask this service; agree with the agency that owns it"},
	MethodNotAgreed:    {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement with this service does not cover this method; have it extended"},
	AgreementExpired:   {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement has expired; renew it with the agency that owns the registry"},
	AgreementNotYet:    {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement is not valid yet; ask again when its time has begun"},
	PurposeRequired:    {codes.InvalidArgument, http.StatusBadRequest, Caller, "say what the data is for: send the purpose code of your agreement as lt-purpose"},
	PurposeNotAgreed:   {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement does not allow this purpose; use one that it names, or have it extended"},
	CaseRequired:       {codes.InvalidArgument, http.StatusBadRequest, Caller, "say which dossier the query serves: send its number as lt-case"},
	OfficerRequired:    {codes.InvalidArgument, http.StatusBadRequest, Caller, "say which officer asks: send the account name as lt-officer"},
	FieldsNotAgreed:    {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement allows none of the fields that were asked for; ask for agreed fields, or have it extended"},

	AgencyClosed:        {codes.PermissionDenied, http.StatusForbidden, Parties, "the agency is closed; ask as the one that took its place (lienthong agency show CODE)"},
	OfficerUnknown:      {codes.PermissionDenied, http.StatusForbidden, Caller, "the agency has not enrolled this officer, or has disabled the account; have the agency enrol it: lienthong officer enrol"},
	CaseInvalid:         {codes.InvalidArgument, http.StatusBadRequest, Caller, "the case number does not have the form of the agency's dossiers; check it (lienthong agency show CODE)"},
	ConsumerSuspended:   {codes.PermissionDenied, http.StatusForbidden, Parties, "the provider has suspended this consumer; mend what its notice says (lienthong consumer list) and have it lifted"},
	AgreementProposed:   {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement is proposed and not approved yet; it needs the provider's approval and the hub's"},
	AgreementSuspended:  {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement is suspended; ask the agency that owns the registry why (lienthong agreement show ID)"},
	AgreementTerminated: {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement was terminated; agree anew with the agency that owns the registry"},
	ConditionNotMet:     {codes.PermissionDenied, http.StatusForbidden, Parties, "the agreement's condition does not hold for this question; see what it asks for with: lienthong agreement explain"},
	ConsentRequired:     {codes.InvalidArgument, http.StatusBadRequest, Caller, "the agreement rests on the data subject's consent: send a reference to it as lt-consent"},
	QuotaExceeded:       {codes.ResourceExhausted, http.StatusTooManyRequests, Parties, "the agreement's quota is used up; ask again later, or have it raised"},
	FrequencyExceeded:   {codes.ResourceExhausted, http.StatusTooManyRequests, Parties, "the agreement does not let this person be asked about so often; use the answer that you have"},
	EnumerationStopped:  {codes.PermissionDenied, http.StatusForbidden, Hub, "too many numbers were asked for that nobody has, so asking was stopped; the hub's operators release it (lienthong guard release)"},
	ServiceNotOfficial:  {codes.FailedPrecondition, http.StatusConflict, Provider, "the service is not in official use; see its state with: lienthong catalog show SERVICE"},
	ServicePlannedStop:  {codes.Unavailable, http.StatusServiceUnavailable, Provider, "the service is stopped as was announced; ask again when it returns"},
	PolicyStale:         {codes.Unavailable, http.StatusServiceUnavailable, Hub, "the gateway has not been able to read the hub's rules for too long, so it answers nothing; ask again later"},

	ActNotAllowed:    {codes.PermissionDenied, http.StatusForbidden, Hub, "this system may not do that; the table of who may do what is in the gateway's README"},
	AgreementUnknown: {codes.NotFound, http.StatusNotFound, Caller, "there is no such agreement among those this system may see; check its id: lienthong agreement list"},
	AgreementInvalid: {codes.InvalidArgument, http.StatusBadRequest, Caller, "the agreement cannot be accepted as it is written; each problem is named with its place"},
	VersionConflict:  {codes.Aborted, http.StatusConflict, Caller, "somebody else has changed it meanwhile; look at it again and start from its newest version"},
	StateWrong:       {codes.FailedPrecondition, http.StatusConflict, Caller, "it is not in a state in which that can be done; see: lienthong agreement show ID"},
	SelfApproval:     {codes.PermissionDenied, http.StatusForbidden, Caller, "who has proposed or approved it already cannot approve it once more; another person of the party whose approval is missing must"},

	RegistryOffline:       {codes.Unavailable, http.StatusServiceUnavailable, Provider, "the registry is not connected; ask again later"},
	JurisdictionNotServed: {codes.NotFound, http.StatusNotFound, Provider, "no registry answers for this province yet; list who does with: lienthong services"},
	BusOffline:            {codes.Unavailable, http.StatusServiceUnavailable, Hub, "the hub's bus is not reachable; ask again later"},
	SealRefused:           {codes.Unavailable, http.StatusBadGateway, Hub, "the registry's connector refused the call as altered, expired or repeated; ask again, and tell the hub's operators if it stays"},
	ContractMismatch:      {codes.FailedPrecondition, http.StatusBadGateway, Provider, "the registry's connector was built with another contract than the catalog has; its owner must publish or deploy again"},
	AnswerMalformed:       {codes.Internal, http.StatusBadGateway, Provider, "the registry's answer breaks its contract and was not released; tell its owner"},
	RegistryFailed:        {codes.Internal, http.StatusBadGateway, Provider, "the registry failed; ask again, and give the exchange id to its owner if it stays"},
	LedgerUnavailable:     {codes.Unavailable, http.StatusServiceUnavailable, Hub, "the hub cannot record the exchange, so it does not answer; ask again later"},

	LedgerReadNotAllowed: {codes.PermissionDenied, http.StatusForbidden, Hub, "this system may not read that of the ledger; ask as one that may, or have the hub's operators give it the role"},
	EntryUnknown:         {codes.NotFound, http.StatusNotFound, Caller, "there is no such entry among those this system may read; check the exchange id or the position"},
	FilterInvalid:        {codes.InvalidArgument, http.StatusBadRequest, Caller, "the filter does not have the form it should; see the comments of hub.v1.Filter and of the request"},
	CursorInvalid:        {codes.InvalidArgument, http.StatusBadRequest, Caller, "the cursor is not one that this method gave for these filters; start from the first page"},
	TokenInvalid:         {codes.Unauthenticated, http.StatusUnauthorized, Caller, "the citizen's token is expired, altered or of another ledger; have a new one made"},
	NotYetProven:         {codes.Unavailable, http.StatusServiceUnavailable, Hub, "the entry is not in a published checkpoint yet; ask again in a few seconds"},

	IDMalformed:         {codes.InvalidArgument, http.StatusBadRequest, Caller, "the number does not have the form it should; a personal number is 12 digits, an old one 9, an insurance number 10"},
	DateMalformed:       {codes.InvalidArgument, http.StatusBadRequest, Caller, "the date is not a real one; write YYYY-MM-DD, or YYYY-MM or YYYY where only that is known"},
	DateInFuture:        {codes.InvalidArgument, http.StatusBadRequest, Caller, "the date lies in the future; check it"},
	CodeUnknown:         {codes.InvalidArgument, http.StatusBadRequest, Caller, "the code is not in the shared catalogue; check it"},
	JurisdictionWrong:   {codes.InvalidArgument, http.StatusBadRequest, Caller, "this registry does not keep the records of that province; ask the one that does (lienthong services)"},
	FieldRequired:       {codes.InvalidArgument, http.StatusBadRequest, Caller, "the field is required; fill it in"},
	FieldInvalid:        {codes.InvalidArgument, http.StatusBadRequest, Caller, "the field's value is not allowed; see the contract (lienthong services SERVICE)"},
	BatchTooLarge:       {codes.InvalidArgument, http.StatusBadRequest, Caller, "a call takes at most 1,000 people; split it"},
	PageTokenInvalid:    {codes.InvalidArgument, http.StatusBadRequest, Caller, "the page token is not one that this method gave for this question; start from the first page"},
	IdempotencyConflict: {codes.AlreadyExists, http.StatusConflict, Caller, "this request id was used for a different request; use a new one"},
	PersonNotFound:      {codes.NotFound, http.StatusNotFound, Caller, "nobody has this number, name and birth date together; check them against the citizen's card"},
	PersonDeceased:      {codes.FailedPrecondition, http.StatusConflict, Caller, "the person is registered as dead and the record is locked"},
	AlreadyRegistered:   {codes.AlreadyExists, http.StatusConflict, Caller, "the event is registered already; ask for the record instead"},
	AlreadyMarried:      {codes.FailedPrecondition, http.StatusConflict, Caller, "one of the two is married; the law allows one marriage at a time"},
	UnderAge:            {codes.FailedPrecondition, http.StatusConflict, Caller, "one of the two is under the age of marriage: 20 for men, 18 for women"},
	NumbersExhausted:    {codes.ResourceExhausted, http.StatusInsufficientStorage, Provider, "no number is left for this province, sex and year; tell the registry's owner"},
	NotEntitled:         {codes.FailedPrecondition, http.StatusConflict, Caller, "the law does not give this person what was asked for; see the rules of the method (lienthong services SERVICE)"},
	NumberDisagrees:     {codes.FailedPrecondition, http.StatusConflict, Caller, "the personal number was issued for another province, sex or year of birth; have one issued for this child"},
	KinTooClose:         {codes.FailedPrecondition, http.StatusConflict, Caller, "the two are relatives in direct line or within three generations; the law forbids the marriage"},
}
