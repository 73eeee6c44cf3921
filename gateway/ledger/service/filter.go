package service

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Forms of what filters hold.
var (
	methodForm    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(/[A-Za-z_][A-Za-z0-9_]*)?$`)
	agreementForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	traceForm     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	originForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	numberForms   = map[hubv1.Subject]*regexp.Regexp{
		hubv1.Subject_SUBJECT_PERSONAL_ID:      regexp.MustCompile(`^[0-9]{12}$`),
		hubv1.Subject_SUBJECT_OLD_ID:           regexp.MustCompile(`^[0-9]{9}$`),
		hubv1.Subject_SUBJECT_INSURANCE_NUMBER: regexp.MustCompile(`^[0-9]{10}$`),
		hubv1.Subject_SUBJECT_CARD_NUMBER:      regexp.MustCompile(`^[A-Z]{2}[0-9]{13}$`),
	}
)

const (
	maxMethod  = 256       // bytes of a method's name
	maxLatency = time.Hour // nothing takes that long
	maxSeq     = 1 << 62   // no ledger has so many records
)

// queryOf reads a filter whose subject is read elsewhere. It fails with FILTER_INVALID at the field.
func queryOf(f *hubv1.Filter) (q index.Query, err error) {
	if len(f.ProtoReflect().GetUnknown()) > 0 {
		return q, reason.FilterInvalid.At("filter") // it asks for less than would be found
	}
	if q.From, q.To, err = spanOf(f.GetFrom(), f.GetTo(), "filter."); err != nil {
		return q, err
	}
	if err := checkConsumer(f.GetConsumer(), "filter.consumer"); err != nil {
		return q, err
	}
	if q.MinLatency, err = latencyOf(f.GetMinLatency()); err != nil {
		return q, err
	}
	if err := checkTexts(f); err != nil {
		return q, err
	}
	q.Consumer, q.Provider, q.Method, q.Agreement = f.GetConsumer(), f.GetProvider(), f.GetMethod(), f.GetAgreement()
	q.Purpose, q.Case, q.Officer = f.GetPurpose(), f.GetCase(), f.GetOfficer()
	q.Outcome, q.Reason = f.GetOutcome(), f.GetReason()
	if f.GetKind() != "" {
		kind, _ := index.ParseKind(f.GetKind()) // it was checked
		q.Kinds = []index.Kind{kind}
	}
	if f.GetTraceId() != "" {
		q.Trace, _ = hex.DecodeString(f.GetTraceId())
	}
	q.Exchange = exchangeOf(f.GetExchangeId())
	return q, nil
}

// exchangeOf reads an exchange id that was checked; none is nil.
func exchangeOf(s string) []byte {
	if s == "" {
		return nil
	}
	id := uuid.MustParse(s)
	return id[:]
}

func isExchange(s string) bool {
	return s == "" || uuidForm.MatchString(s) && strings.Trim(s, "0-") != ""
}

func isKind(s string) bool {
	_, err := index.ParseKind(s)
	return s == "" || err == nil
}

// checkTexts checks what is compared as it is.
func checkTexts(f *hubv1.Filter) error {
	_, outcome := hubv1.Exchange_Outcome_name[int32(f.GetOutcome())]
	for _, c := range [...]struct {
		field string
		good  bool
	}{
		{"provider", f.GetProvider() == "" || isAgency(f.GetProvider())},
		{"method", isMethod(f.GetMethod())},
		{"purpose", isWord(f.GetPurpose())},
		{"case", isWord(f.GetCase())},
		{"officer", isWord(f.GetOfficer())},
		{"outcome", outcome},
		{"reason", f.GetReason() == "" || reason.Reason(f.GetReason()).Registered()},
		{"agreement", f.GetAgreement() == "" || agreementForm.MatchString(f.GetAgreement())},
		{"trace_id", f.GetTraceId() == "" || traceForm.MatchString(f.GetTraceId()) && strings.Trim(f.GetTraceId(), "0") != ""},
		{"exchange_id", isExchange(f.GetExchangeId())},
		{"kind", isKind(f.GetKind())},
	} {
		if !c.good {
			return reason.FilterInvalid.At("filter." + c.field)
		}
	}
	return nil
}

func isAgency(s string) bool { return peer.ID{Agency: s, System: "any"}.Valid() }

func isMethod(s string) bool { return s == "" || len(s) <= maxMethod && methodForm.MatchString(s) }

// spanOf reads from ≤ time < to; the zero time is no bound.
func spanOf(from, to *timestamppb.Timestamp, within string) (f, t time.Time, err error) {
	if from != nil {
		if !goodTime(from) {
			return f, t, reason.FilterInvalid.At(within + "from")
		}
		f = from.AsTime()
	}
	if to != nil {
		t = to.AsTime()
		if !goodTime(to) || from != nil && !f.Before(t) {
			return f, t, reason.FilterInvalid.At(within + "to")
		}
	}
	return f, t, nil
}

// goodTime reports whether a time is one that a ledger can have: nobody means the year 1 or 9999, and the zero time
// would be no bound at all.
func goodTime(t *timestamppb.Timestamp) bool {
	return t.IsValid() && t.AsTime().Year() >= 1970 && t.AsTime().Year() < 2200
}

// checkConsumer wants AGENCY or AGENCY/SYSTEM, or nothing.
func checkConsumer(s, field string) error {
	agency, system, whole := strings.Cut(s, "/")
	id := peer.ID{Agency: agency, System: system}
	if s == "" || whole && id.Valid() || !whole && isAgency(agency) {
		return nil
	}
	return reason.FilterInvalid.At(field)
}

func latencyOf(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if !d.IsValid() || d.AsDuration() < 0 || d.AsDuration() > maxLatency {
		return 0, reason.FilterInvalid.At("filter.min_latency")
	}
	return d.AsDuration(), nil
}

// goodSubject checks the form of a person's number, and repeats nothing of it.
func goodSubject(s *hubv1.DataSubject, field string) error {
	form, known := numberForms[s.GetKind()]
	if !known || !form.MatchString(s.GetValue()) {
		return reason.FilterInvalid.At(field)
	}
	return nil
}

// positionOf reads "ORIGIN:SEQ". A position of another ledger is a good one, but nothing stands there.
func positionOf(s, origin string) (seq uint64, here bool, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 1 || i > maxWord || !originForm.MatchString(s[:i]) {
		return 0, false, reason.FilterInvalid.At("position")
	}
	seq, err = strconv.ParseUint(s[i+1:], 10, 64)
	if err != nil || seq > maxSeq || strconv.FormatUint(seq, 10) != s[i+1:] {
		return 0, false, reason.FilterInvalid.At("position")
	}
	return seq, s[:i] == origin, nil
}
