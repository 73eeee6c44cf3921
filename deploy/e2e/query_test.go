package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// refusal is what --json writes to stderr.
type refusal struct {
	Code, Reason, Field, Mender, Message, Exchange, Hint string
}

func TestTheBankIsRefused(t *testing.T) {
	h := sandbox.get(t)
	bank := append([]string{}, h.ready.FirstQuery[1:]...)
	for i, arg := range bank {
		if arg == "--as" {
			bank[i+1] = "COM.3000000012/ekyc"
		}
	}
	r := lienthong(t, bank...)
	require.Equal(t, 1, r.code)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "NO_AGREEMENT: ")
	require.Regexp(t, `exchange [0-9a-f-]{36}`, r.err)

	r = lienthong(t, append(bank, "--json")...)
	require.Equal(t, 1, r.code)
	require.Empty(t, r.out)
	refused := decode[refusal](t, r.err)
	require.Equal(t, "NO_AGREEMENT", refused.Reason)
	require.Equal(t, "PermissionDenied", refused.Code)
	require.Equal(t, "parties", refused.Mender)
	require.Contains(t, recorded(t, h.dir), refused.Exchange, "refusals are recorded too")
}

func TestAQueryThatCannotBeAnsweredSaysWhy(t *testing.T) {
	h := sandbox.get(t)
	const someone = "personal_id=040094997317"
	population := "registry." + populationService
	asked := []string{"--purpose", "CT-TT", "--case", "E2E-1", "--officer", "can.bo"}
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		says  string
	}{
		"unknown service":       {args: []string{"registry.tax.v1.TaxService/GetDebt", someone}, code: 1, says: "SERVICE_UNKNOWN"},
		"service not in full":   {args: []string{"PopulationService/GetResidence", someone}, code: 1, says: "hint: write the full name: registry.population.v1.PopulationService/GetResidence"},
		"unknown method":        {args: []string{population + "GetResidenc", someone}, code: 1, says: "METHOD_UNKNOWN"},
		"not a method":          {args: []string{"GetResidence", someone}, code: 2, says: "not SERVICE/METHOD"},
		"unknown field":         {args: []string{population + "GetResidence", "personalid=1"}, code: 2, says: `no field "personalid"; there are personal_id, full_name, birth_date`},
		"no field=value":        {args: []string{population + "GetResidence", "040094997317"}, code: 2, says: "not field=value"},
		"field twice":           {args: []string{population + "GetResidence", someone, someone}, code: 2, says: "given twice"},
		"unknown enum value":    {args: []string{population + "ConfirmResidence", "kind=HOME"}, code: 2, says: "RESIDENCE_KIND_PERMANENT"},
		"list without a number": {args: []string{population + "BatchVerify", "people.personal_id=1"}, code: 2, says: "people.0.FIELD"},
		"message as a value":    {args: []string{population + "IssueNumber", "name=Lê"}, code: 2, says: "family, middle, given, full"},
		"empty stdin":           {args: []string{population + "GetResidence"}, code: 2, says: "field=value arguments, or JSON on stdin"},
		"malformed stdin":       {args: []string{population + "GetResidence"}, stdin: "{", code: 2, says: "request on stdin"},
		"unknown field, stdin":  {args: []string{population + "GetResidence"}, stdin: `{"personalid":"1"}`, code: 2, says: "personalid"},
		"malformed id":          {args: append([]string{population + "GetResidence", "personal_id=04009499731"}, asked...), code: 1, says: "ID_MALFORMED: personal_id"},
		"no purpose":            {args: []string{population + "GetResidence", someone}, code: 1, says: "hint: here that is --purpose"},
		"another purpose":       {args: []string{population + "GetResidence", someone, "--purpose", "KCB-TD", "--case", "1"}, code: 1, says: "PURPOSE_NOT_AGREED"},
		"no case":               {args: []string{population + "GetResidence", someone, "--purpose", "CT-TT"}, code: 1, says: "hint: here that is --case"},
		"unknown answer field":  {args: append([]string{population + "GetResidence", someone, "--only", "permanent.street"}, asked...), code: 1, says: "FIELD_UNKNOWN"},
		"which answer field":    {args: append([]string{population + "GetResidence", someone, "--only", "permanent,permanent.street"}, asked...), code: 1, says: "the answer has no field"},
		"officer with accents":  {args: append(append([]string{population + "GetResidence", someone}, asked...), "--officer", "cán bộ"), code: 2, says: "in ASCII"},
		"method not agreed":     {args: append([]string{population + "GetPerson", someone}, asked...), code: 1, says: "METHOD_NOT_AGREED"},
		"province of nobody":    {args: append([]string{"registry." + landService + "GetParcel", "province_code=99"}, asked...), code: 1, says: "province"},
		"unknown system":        {args: []string{population + "GetResidence", someone, "--as", "H99/nobody"}, code: 2, says: "no identity of H99/nobody"},
		"no system":             {args: []string{population + "GetResidence", someone, "--as", "nobody"}, code: 2, says: "write AGENCY/SYSTEM"},
		"no time":               {args: []string{population + "GetResidence", someone, "--timeout", "0s"}, code: 2, says: "--timeout"},
		"unknown flag":          {args: []string{population + "GetResidence", someone, "--porpose", "CT-TT"}, code: 2, says: "--purpose"},
	} {
		t.Run(name, func(t *testing.T) {
			argv := append([]string{bin, "query"}, append(c.args, "--dir", h.dir)...)
			r := command(t, c.stdin, argv...)
			require.Equal(t, c.code, r.code, r.err)
			require.Empty(t, r.out)
			require.Contains(t, r.err, c.says)
			r = command(t, c.stdin, append(argv, "--json")...)
			require.Equal(t, c.code, r.code)
			require.NotEmpty(t, decode[refusal](t, r.err).Message)
		})
	}
}

func TestARequestInJSONIsTheSameAsArguments(t *testing.T) {
	h := sandbox.get(t)
	p := h.sample(t, "married", "1")[0]
	asked := []string{bin, "query", "registry." + residence, "--purpose", "CT-TT", "--case", "E2E-1", "--json", "--dir", h.dir}
	byStdin := command(t, `{"personalId":"`+p.PersonalID+`"}`, asked...)
	require.Zero(t, byStdin.code, byStdin.err)
	byArgument := command(t, "", append(asked, "personal_id="+p.PersonalID, "--consent", "a=b", "full_name="+p.FullName)...)
	require.Equal(t, decode[answer](t, byArgument.out).Answer, decode[answer](t, byStdin.out).Answer)
}

func TestAHubElsewhereIsAskedByAddressAndFiles(t *testing.T) {
	h := sandbox.get(t)
	id, address := h.ready.Identities["H27/one-stop"], h.ready.Addresses["grpc"]
	ask := func(more ...string) result {
		return lienthong(t, append([]string{"query", "registry." + residence, "personal_id=040094997317", "--purpose", "CT-TT",
			"--case", "E2E-1", "--dir", filepath.Join(t.TempDir(), "none")}, more...)...)
	}
	files := []string{"--ca", h.ready.CA, "--cert", id.Cert, "--key", id.Key}
	r := ask(append(files, "--addr", address)...)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "permanent.province_code")

	r = ask("--addr", address, "--ca", h.ready.CA)
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "must be used together")
	r = ask("--addr", address, "--ca", h.ready.CA, "--cert", id.Cert, "--key", filepath.Join(h.dir, "none.pem"))
	require.Equal(t, 2, r.code)
	r = ask(append(files, "--addr", freeAddress(t))...)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "no hub answers at 127.0.0.1:")
	r = ask()
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "no hub runs from ")
	r = lienthong(t, "services", "--addr", address, "--dir", h.dir)
	require.Zero(t, r.code, "--addr with an identity of --dir: %s", r.err)
}

func TestAnotherAuthoritysCertificateIsRefusedWithASentence(t *testing.T) {
	h := sandbox.get(t)
	dir := t.TempDir()
	other := up(t, dir)
	id := other.ready.Identities["H27/one-stop"]
	r := lienthong(t, "services", "--addr", h.ready.Addresses["grpc"], "--ca", h.ready.CA, "--cert", id.Cert, "--key", id.Key)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "refused the certificate")
	h.says(t, "connection refused")
	r = lienthong(t, "services", "--addr", h.ready.Addresses["grpc"], "--ca", other.ready.CA, "--cert", id.Cert, "--key", id.Key)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "not a gateway of this authority")
}

func TestAWrongCommandLineSaysSoAndEndsWith2(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for line, says := range map[string]string{
		"":                          "say what to do",
		"upp":                       `did you mean "up"`,
		"up --populaton 5":          `did you mean "--population"`,
		"up --population many":      "--population",
		"up --population 0 --seed":  "--seed",
		"up --population 30000000":  "choose 1 to 20000000",
		"up --grpc 7443":            "write HOST:PORT",
		"up --bus localhost:nats":   "write HOST:PORT",
		"up --nats localhost":       "nats://127.0.0.1:4222",
		"up --log loud":             "--log",
		"gateway --nats embedded":   "nats://127.0.0.1:4222",
		"registry tax":              "there are population, civilstatus, insurance, land-42, land-08 and land-vn",
		"registry":                  "lienthong registry --help",
		"query":                     "lienthong query --help",
		"nation":                    "lienthong nation --help",
		"nation sample giants":      "there are: adult-single",
		"nation sample married -n0": "choose 1 to 10000",
		"identity issue desk":       "write AGENCY/SYSTEM",
		"identity renew H27":        "write AGENCY/SYSTEM",
	} {
		r := command(t, "", append([]string{bin}, strings.Fields(line)...)...)
		require.Equal(t, 2, r.code, line+": "+r.err)
		require.Contains(t, r.err, says, line)
		require.Empty(t, r.out, line)
	}
	require.Equal(t, 2, lienthong(t, "up", "--dir", file).code)
}

func TestHelpIsThereForEveryCommand(t *testing.T) {
	for _, c := range []string{"", "up", "gateway", "registry", "query", "services", "nation", "nation sample", "nation kinds", "identity",
		"identity list", "identity issue", "identity renew", "identity revoke"} {
		r := lienthong(t, append(strings.Fields(c), "--help")...)
		require.Zero(t, r.code, c)
		require.Contains(t, r.out, strings.TrimSpace("Usage: lienthong "+c), c)
		require.Contains(t, r.out, "--json", c)
	}
	require.Contains(t, lienthong(t, "--version").out, "lienthong")
}

func TestATakenPortIsNamedWithTheFlagThatChangesIt(t *testing.T) {
	h := sandbox.get(t)
	for _, flag := range []string{"--grpc", "--http", "--bus"} {
		r := lienthong(t, upArgs(t.TempDir(), flag, h.ready.Addresses["grpc"])...)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, "choose another one with "+flag)
	}
}
