// Package reason names every failure that callers tell apart, once, and gives each its form: a gRPC code, an
// HTTP status, who can mend it, and a sentence that says what to do. Sentences are fixed: nothing a caller sent
// is ever part of one, so no personal data can leave in an error.
//
// A Reason is an error; return it as it is, or say which request field is at fault:
//
//	return nil, reason.IDMalformed.At("personal_id")
//
// What does not belong here: failures nobody tells apart. They are plain errors and leave as INTERNAL.
package reason

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain is the ErrorInfo domain of every failure of the hub.
const Domain = "lienthong"

// Reason names a failure, in the form of ErrorInfo.reason: upper snake case.
type Reason string

// Mender says who can do something about a failure.
type Mender string

// Who can mend a failure.
const (
	Caller   Mender = "caller"   // the system that asked, by asking differently
	Parties  Mender = "parties"  // consumer and provider, by agreement
	Provider Mender = "provider" // the agency that owns the registry
	Hub      Mender = "hub"      // the hub's operators
)

// Form is how a failure looks to each protocol, and what its reader should do.
type Form struct {
	Code    codes.Code // gRPC status code
	HTTP    int        // HTTP status
	Mender  Mender     // who can mend it
	Message string     // what is wrong and what to do, one sentence
}

// Fault is a failure with its reason and, where one request field is to blame, that field.
type Fault struct {
	Reason Reason
	Field  string    // path of the request field or name of the metadata at fault; empty when none is
	Until  time.Time // from then on asking again may help; zero when nobody knows
	Cause  error     // for the hub's own log; never leaves the process
}

// At says which request field or metadata entry is at fault.
func (r Reason) At(field string) *Fault { return &Fault{Reason: r, Field: field} }

// Until says from when on asking again may help.
func (r Reason) Until(t time.Time) *Fault { return &Fault{Reason: r, Until: t} }

// Because keeps the cause for the process's own log.
func (r Reason) Because(cause error) *Fault { return &Fault{Reason: r, Cause: cause} }

// Error returns the reason and its sentence.
func (r Reason) Error() string { return string(r) + ": " + r.Form().Message }

// GRPCStatus lets a Reason be returned from a gRPC handler.
func (r Reason) GRPCStatus() *status.Status { return (&Fault{Reason: r}).GRPCStatus() }

// Form returns how the failure looks. An unregistered reason looks like Internal.
func (r Reason) Form() Form {
	if f, ok := forms[r]; ok {
		return f
	}
	return forms[Internal]
}

// Registered reports whether the reason is in the table.
func (r Reason) Registered() bool { _, ok := forms[r]; return ok }

// Refuses reports whether the reason says no to who asked, and not that something broke, took too long or was given up.
func (r Reason) Refuses() bool {
	switch r {
	case DeadlineExceeded, DeadlineTooShort, Cancelled:
		return false
	case ServiceNotOfficial, ServicePlannedStop:
		return true // others than the caller must mend it, and they meant it
	}
	f := r.Form()
	return f.Code == codes.PermissionDenied || f.Mender == Caller || f.Mender == Parties
}

// Error returns the reason, its sentence and the field at fault. The cause stays inside.
func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Reason.Error()
	}
	return fmt.Sprintf("%s (at %s)", f.Reason.Error(), f.Field)
}

// Unwrap makes errors.Is find the reason and the cause.
func (f *Fault) Unwrap() []error {
	if f.Cause == nil {
		return []error{f.Reason}
	}
	return []error{f.Reason, f.Cause}
}

// GRPCStatus is the failure as gRPC sees it: code, sentence and ErrorInfo.
func (f *Fault) GRPCStatus() *status.Status {
	form := f.Reason.Form()
	msg := form.Message
	info := &errdetails.ErrorInfo{Reason: string(f.Reason), Domain: Domain, Metadata: map[string]string{"mender": string(form.Mender)}}
	if f.Field != "" {
		info.Metadata["field"] = f.Field
		msg = f.Field + ": " + msg
	}
	if !f.Until.IsZero() {
		info.Metadata["until"] = f.Until.UTC().Format(time.RFC3339)
		msg += "; not before " + info.Metadata["until"]
	}
	st, err := status.New(form.Code, msg).WithDetails(info)
	if err != nil {
		return status.New(form.Code, msg)
	}
	return st
}

// fieldPath is what a field at fault may look like: names and indices, never a value.
var fieldPath = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,127}$`)

// FieldPath returns s if it can be the path of a field, else nothing: whoever names a field at fault could name
// something else instead.
func FieldPath(s string) string {
	if fieldPath.MatchString(s) {
		return s
	}
	return ""
}

// Of finds the failure in err. Context errors become DeadlineExceeded and Cancelled; a gRPC status keeps a
// registered reason of this domain; everything else is Internal with err as its cause. Of(nil) is nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var r Reason
	if errors.As(err, &r) {
		return &Fault{Reason: r, Cause: err}
	}
	if st, ok := status.FromError(err); ok {
		return ofStatus(st, err)
	}
	return ofContext(err)
}

func ofContext(err error) *Fault {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded.Because(err)
	case errors.Is(err, context.Canceled):
		return Cancelled.Because(err)
	}
	return Internal.Because(err)
}

func ofStatus(st *status.Status, err error) *Fault {
	for _, d := range st.Details() {
		info, ok := d.(*errdetails.ErrorInfo)
		if !ok || info.GetDomain() != Domain || !Reason(info.GetReason()).Registered() {
			continue
		}
		f := &Fault{Reason: Reason(info.GetReason()), Cause: err}
		f.Field = FieldPath(info.GetMetadata()["field"])
		f.Until, _ = time.Parse(time.RFC3339, info.GetMetadata()["until"]) // zero where there is none
		return f
	}
	switch st.Code() {
	case codes.DeadlineExceeded:
		return DeadlineExceeded.Because(err)
	case codes.Canceled:
		return Cancelled.Because(err)
	case codes.Unimplemented:
		return MethodUnknown.Because(err)
	case codes.Unavailable:
		return RegistryOffline.Because(err)
	}
	return Internal.Because(err)
}
