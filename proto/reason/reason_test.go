package reason_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/reason"
)

// declared are the constants of type Reason that the package declares, as its source has them.
func declared(t testing.TB) map[string]reason.Reason {
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	require.NoError(t, err)
	all := map[string]reason.Reason{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if kind, ok := value.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
				continue
			}
			text, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			all[value.Names[0].Name] = reason.Reason(text)
		}
	}
	require.Greater(t, len(all), 30)
	return all
}

func reasons(t testing.TB) []reason.Reason {
	var all []reason.Reason
	for _, r := range declared(t) {
		all = append(all, r)
	}
	return all
}

func TestEveryReasonIsInTheTable(t *testing.T) {
	seen := map[reason.Reason]string{}
	for name, r := range declared(t) {
		require.True(t, r.Registered(), name)
		require.Regexp(t, `^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`, string(r), name)
		require.Empty(t, seen[r], "%s has the reason of %s", name, seen[r])
		seen[r] = name
	}
}

// statuses are the HTTP statuses that a gRPC code may be shown as.
var statuses = map[codes.Code][]int{
	codes.InvalidArgument:    {400},
	codes.Unauthenticated:    {401},
	codes.PermissionDenied:   {403},
	codes.NotFound:           {404},
	codes.Unimplemented:      {404},
	codes.AlreadyExists:      {409},
	codes.Aborted:            {409},
	codes.FailedPrecondition: {409, 502},
	codes.ResourceExhausted:  {413, 429, 507},
	codes.Canceled:           {499},
	codes.Internal:           {500, 502},
	codes.Unavailable:        {502, 503},
	codes.DeadlineExceeded:   {504},
}

func TestEveryFormSaysTheSameInEachProtocol(t *testing.T) {
	menders := []reason.Mender{reason.Caller, reason.Parties, reason.Provider, reason.Hub}
	for _, r := range reasons(t) {
		form := r.Form()
		require.Contains(t, statuses[form.Code], form.HTTP, "%s is gRPC %s", r, form.Code)
		require.Contains(t, menders, form.Mender, r)
		require.Regexp(t, `^[^%\n]{20,300}[^.\s]$`, form.Message, "%s: one sentence, no formatting verb, no full stop", r)
	}
}

func TestReasonSurvivesAStatus(t *testing.T) {
	for _, r := range reasons(t) {
		for _, wrap := range []error{r, fmt.Errorf("read person: %w", r), r.Because(errors.New("disk")), r.GRPCStatus().Err()} {
			f := reason.Of(wrap)
			require.Equal(t, r, f.Reason)
			require.Empty(t, f.Field)
		}
		st := r.At("page.items.0.personal_id").GRPCStatus()
		require.Equal(t, r.Form().Code, st.Code())
		require.Contains(t, st.Message(), r.Form().Message)
		f := reason.Of(fmt.Errorf("ask registry: %w", st.Err()))
		require.Equal(t, r, f.Reason)
		require.Equal(t, "page.items.0.personal_id", f.Field)
		require.ErrorIs(t, f, r)
	}
}

func TestOfNothingIsNothing(t *testing.T) {
	require.Nil(t, reason.Of(nil))
}

func TestUnnamedFailuresGetTheReasonOfTheirKind(t *testing.T) {
	for err, want := range map[error]reason.Reason{
		errors.New("disk full"):                                       reason.Internal,
		context.Canceled:                                              reason.Cancelled,
		fmt.Errorf("ask: %w", context.DeadlineExceeded):               reason.DeadlineExceeded,
		status.Error(codes.DeadlineExceeded, "late"):                  reason.DeadlineExceeded,
		status.Error(codes.Canceled, "gone"):                          reason.Cancelled,
		status.Error(codes.Unimplemented, "unknown method"):           reason.MethodUnknown,
		status.Error(codes.Unavailable, "no connection"):              reason.RegistryOffline,
		status.Error(codes.NotFound, "no Nguyễn Thị Hoà"):             reason.Internal,
		status.Error(codes.Unknown, "panic"):                          reason.Internal,
		foreign(t, "example.org", string(reason.NoAgreement)):         reason.Internal,
		foreign(t, "", string(reason.NoAgreement)):                    reason.Internal,
		foreign(t, reason.Domain, "GIVE_EVERYTHING"):                  reason.Internal,
		foreign(t, reason.Domain, ""):                                 reason.Internal,
		foreign(t, reason.Domain, "no_agreement"):                     reason.Internal,
		foreign(t, reason.Domain, string(reason.PersonNotFound)):      reason.PersonNotFound,
		reason.Reason("NOT_IN_THE_TABLE").GRPCStatus().Err():          reason.Internal,
		errors.Join(errors.New("a"), reason.PageTokenInvalid.At("x")): reason.PageTokenInvalid,
	} {
		f := reason.Of(err)
		require.Equal(t, want, f.Reason, "%v", err)
		require.ErrorIs(t, f, want)
	}
}

func foreign(t testing.TB, domain, why string) error {
	st, err := status.New(codes.Aborted, "somebody else's words").WithDetails(&errdetails.ErrorInfo{Domain: domain, Reason: why})
	require.NoError(t, err)
	return st.Err()
}

func TestUnregisteredReasonLooksInternal(t *testing.T) {
	r := reason.Reason("NOT_IN_THE_TABLE")
	require.False(t, r.Registered())
	require.Equal(t, reason.Internal.Form(), r.Form())
}

func TestCauseStaysInTheProcess(t *testing.T) {
	secret := errors.New("no row for 042187001234")
	f := reason.PersonNotFound.Because(secret)
	require.ErrorIs(t, f, secret, "the hub's own log may look")
	require.NotContains(t, f.Error(), "042187001234")
	require.NotContains(t, f.GRPCStatus().String(), "042187001234")
	require.NotContains(t, fmt.Sprint(f.GRPCStatus().Proto()), "042187001234")
}

func TestFieldThatIsNoPathIsDropped(t *testing.T) {
	for _, field := range []string{
		"042187001234", "Nguyễn Thị Hoà", "Nguyen", "personal_id=042187001234", "personal id", "people[0]", "full_name\n",
		".personal_id", "_x", "", strings.Repeat("a", 129), "personal_id:1987-04-21", "x/y",
	} {
		f := reason.Of(withField(t, field))
		require.Equal(t, reason.IDMalformed, f.Reason)
		require.Empty(t, f.Field, "%q", field)
	}
	for _, field := range []string{"personal_id", "people.12.birth_date", "lt-purpose", strings.Repeat("a", 128)} {
		require.Equal(t, field, reason.Of(withField(t, field)).Field)
	}
}

// withField is a status as a registry in any language could send it.
func withField(t require.TestingT, field string) error {
	st, err := status.New(codes.InvalidArgument, field).WithDetails(&errdetails.ErrorInfo{
		Domain: reason.Domain, Reason: string(reason.IDMalformed), Metadata: map[string]string{"field": field, "value": field},
	})
	require.NoError(t, err)
	return st.Err()
}

func TestNothingOfAForeignStatusIsRepeated(t *testing.T) {
	path := regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,127}$`)
	known := reasons(t)
	rapid.Check(t, func(t *rapid.T) {
		canary := "cAnArY-" + rapid.StringMatching(`[0-9A-Z]{12}`).Draw(t, "canary")
		domain := rapid.SampledFrom([]string{reason.Domain, "example.org", canary}).Draw(t, "domain")
		why := rapid.OneOf(rapid.Just(canary), rapid.Just(string(rapid.SampledFrom(known).Draw(t, "known")))).Draw(t, "reason")
		field := rapid.OneOf(rapid.Just(canary), rapid.Just(canary+".name"), rapid.String()).Draw(t, "field")
		st := status.New(codes.Code(rapid.Uint32Range(1, 20).Draw(t, "code")), canary)
		st, err := st.WithDetails(&errdetails.ErrorInfo{Domain: domain, Reason: why, Metadata: map[string]string{"field": field, canary: canary}})
		if err != nil {
			return // not a message: no UTF-8 in it
		}
		f := reason.Of(st.Err())
		require.True(t, f.Reason.Registered())
		require.True(t, f.Field == "" || path.MatchString(f.Field))
		require.NotContains(t, f.Error(), canary)
		require.NotContains(t, fmt.Sprint(f.GRPCStatus().Proto()), canary)
		require.Equal(t, f.Reason, reason.Of(f.GRPCStatus().Err()).Reason, "said again, it is the same failure")
	})
}

func TestARefusalIsMeantAndNotWhatBroke(t *testing.T) {
	for _, r := range []reason.Reason{
		reason.NoAgreement, reason.ActNotAllowed, reason.SystemSuspended, reason.EnumerationStopped, reason.ServiceNotOfficial,
		reason.ServicePlannedStop, reason.LedgerReadNotAllowed, reason.QuotaExceeded, reason.FieldInvalid,
	} {
		require.True(t, r.Refuses(), r)
	}
	for _, r := range []reason.Reason{
		reason.Internal, reason.LedgerUnavailable, reason.BusOffline, reason.PolicyStale, reason.RegistryFailed, reason.DeadlineExceeded,
		reason.DeadlineTooShort, reason.Cancelled, "NOT_REGISTERED",
	} {
		require.False(t, r.Refuses(), r)
	}
}
