package sandbox_test

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/deploy/lienthong/sandbox"
	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/contract"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/store"
)

// now is a moment at which the sandbox is open.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	population  = "/registry.population.v1.PopulationService/"
	civilStatus = "/registry.civilstatus.v1.CivilStatusService/"
	insurance   = "/registry.insurance.v1.InsuranceService/"
	land        = "/registry.land.v1.LandService/"
)

// rules are the sandbox's catalog and agreements over the real contracts.
type rules struct {
	Catalog    *catalog.Catalog
	Agreements *agreement.Set
}

// policy publishes the real contracts by the sandbox's offers, and puts its agreements in force.
func policy(t *testing.T) rules {
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(t.TempDir(), "hub.db")}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	docs, err := sandbox.Agreements()
	require.NoError(t, err)
	_, err = db.Change(t.Context(), state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}, func(tx *state.Tx) error {
		for _, f := range []protoreflect.FileDescriptor{
			populationv1.File_registry_population_v1_population_proto, civilstatusv1.File_registry_civilstatus_v1_service_proto,
			insurancev1.File_registry_insurance_v1_service_proto, landv1.File_registry_land_v1_service_proto,
		} {
			offer, err := sandbox.Offer(string(f.Services().Get(0).FullName()))
			require.NoError(t, err)
			none := func(string) ([]catalog.Use, error) { return nil, nil }
			require.NoError(t, catalog.Publish(t.Context(), tx, nil, offer.Publication(catalog.FileSet(f)), none))
		}
		return book.Seed(t.Context(), tx, docs)
	})
	require.NoError(t, err)
	var p rules
	err = db.InReadTx(t.Context(), func(tx *sql.Tx) (err error) {
		if p.Catalog, err = catalog.Read(t.Context(), tx, nil); err != nil {
			return err
		}
		p.Agreements, err = new(book.Reader).Read(t.Context(), tx, p.Catalog)
		return err
	})
	require.NoError(t, err)
	for _, d := range docs {
		require.Empty(t, agreement.Check(d, p.Catalog), d.GetId())
	}
	require.Empty(t, p.Agreements.Broken())
	return p
}

// query is a complete question of a consumer, such as "H27/one-stop", to a provider's agency.
func query(t *testing.T, p rules, consumer, method, provider, purpose string) agreement.Query {
	id, err := peer.ParseID(consumer)
	require.NoError(t, err)
	m, ok := p.Catalog.Method(method)
	require.True(t, ok, method)
	return agreement.Query{
		Consumer: id, Method: m, Provider: peer.ID{Agency: provider}, Purpose: purpose,
		Case: "000.00.19.H27-261122-0001", Officer: "an.nv", Now: now,
	}
}

func TestTheDigestsOfTheSandboxAreTheRegistriesOwn(t *testing.T) {
	p := policy(t)
	linked := populationv1.File_registry_population_v1_population_proto.Services().Get(0)
	s, ok := p.Catalog.Service(string(linked.FullName()))
	require.True(t, ok)
	require.Equal(t, contract.Digest(linked), s.Digest)
	require.Len(t, p.Catalog.Services(), 4)
}

func TestTheSandboxsConsumersMayAskWhatTheirWorkNeeds(t *testing.T) {
	p := policy(t)
	for _, c := range []struct {
		consumer, methods, provider, purpose string
	}{
		{"H27/one-stop", population + "GetResidence ConfirmResidence ConfirmHousehold VerifyIdentity GetHousehold", "G01", "CT-TT"},
		{"H27/one-stop", civilStatus + "GetBirth GetMarriage GetDeath ConfirmMaritalStatus RegisterMarriage", "G15", "HT-KH"},
		{"H27/one-stop", civilStatus + "RegisterBirth", "G15", "HT-KS"},
		{"H27/one-stop", civilStatus + "RegisterDeath", "G15", "HT-KT"},
		{"H27/one-stop", land + "GetParcel GetCertificate ListHoldings CheckEncumbrance", "H27", "DD-BD"},
		{"H27/one-stop", land + "GetParcel GetCertificate ListHoldings CheckEncumbrance", "H60", "DD-BD"},
		{"H27/one-stop", land + "GetParcel GetCertificate ListHoldings CheckEncumbrance", "G13", "DD-BD"},
		{"G22/dvc-portal", population + "VerifyIdentity GetPerson ResolveIdentifier BatchVerify", "G01", "DVC-TK"},
		{"G22/dvc-portal", insurance + "IssueCard", "G24", "DVC-LT"},
		{"H27.07/clinic", insurance + "CheckCoverage", "G24", "KCB-TD"},
		{"H27.07/clinic", population + "VerifyIdentity", "G01", "KCB-TD"},
		{"G24/claims", population + "GetPerson BatchVerify", "G01", "BHXH-CD"},
		{"G24/claims", civilStatus + "GetDeath", "G15", "BHXH-CD"},
		{"G24/claims", insurance + "GetCard ListContributions", "G24", "BHXH-CD"},
		{"G15/civil-status", population + "IssueNumber CancelNumber GetPerson", "G01", "HT-KS"},
	} {
		service, methods := filepath.Split(c.methods)
		for method := range strings.FieldsSeq(methods) {
			g, err := p.Agreements.Admit(query(t, p, c.consumer, service+method, c.provider, c.purpose))
			require.NoError(t, err, "%s %s", c.consumer, method)
			require.NotEmpty(t, g.LegalBasis)
		}
	}
}

func TestEveryMethodHasAConsumerInTheSandbox(t *testing.T) {
	p := policy(t)
	asked := map[*catalog.Method]bool{}
	for _, a := range p.Agreements.All() {
		for _, m := range a.Methods {
			asked[m.Method] = true
		}
	}
	for _, s := range p.Catalog.Services() {
		for _, m := range s.Methods {
			require.True(t, asked[m], m.Name)
		}
	}
}

func TestTheSandboxShowsRefusals(t *testing.T) {
	p := policy(t)
	for name, c := range map[string]struct {
		query agreement.Query
		why   reason.Reason
	}{
		"the bank":               {query(t, p, "COM.3000000012/ekyc", population+"VerifyIdentity", "G01", "KYC"), reason.NoAgreement},
		"a method beyond":        {query(t, p, "H27/one-stop", population+"GetPerson", "G01", "HT-KS"), reason.MethodNotAgreed},
		"a purpose beyond":       {query(t, p, "G22/dvc-portal", population+"GetPerson", "G01", "HT-KS"), reason.PurposeNotAgreed},
		"an expired agreement":   {query(t, p, "H27.07/clinic", civilStatus+"GetBirth", "G15", "KCB-TD"), reason.AgreementExpired},
		"a province's registry":  {query(t, p, "G22/dvc-portal", land+"GetParcel", "H27", "DVC-TK"), reason.NoAgreement},
		"who lives with whom":    {query(t, p, "H27/one-stop", population+"GetHousehold", "G01", "HT-KS"), reason.PurposeNotAgreed},
		"a purpose not yet said": {query(t, p, "H27/one-stop", population+"GetResidence", "G01", ""), reason.PurposeRequired},
	} {
		_, err := p.Agreements.Admit(c.query)
		require.ErrorIs(t, err, c.why, name)
	}
}

func TestOnlyWhatTheLawPutsOnAnEntryIsSensitive(t *testing.T) {
	p := policy(t)
	allowed := map[string]bool{
		"H27-G15-registration " + civilStatus[1:] + "RegisterBirth": true,
		"G15-G01-population " + population[1:] + "GetPerson":        true,
	}
	for _, a := range p.Agreements.All() {
		if a.Until.Before(now) {
			continue // there is one that is over, to be refused
		}
		for _, m := range a.Methods {
			consumer := peer.ID{Agency: a.Agency, System: a.Systems[0]}
			g, err := p.Agreements.Admit(agreement.Query{
				Consumer: consumer, Method: m.Method, Provider: peer.ID{Agency: a.Provider}, Purpose: a.Purposes[0].Code,
				Case: "c", Officer: "o", Now: now,
			})
			require.NoError(t, err)
			require.Equal(t, allowed[a.ID+" "+m.Method.Name], g.Sensitive, "%s %s", a.ID, m.Method.Name)
		}
	}
}

const canary = "CANARY"

// plant fills every leaf of a message: with the canary in texts, true in flags, 1 in numbers.
func plant(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.IsList() {
			list := m.Mutable(fd).List()
			if fd.Message() != nil {
				plant(list.AppendMutable().Message())
			} else {
				list.Append(value(fd))
			}
			continue
		}
		if fd.Message() != nil {
			plant(m.Mutable(fd).Message())
			continue
		}
		m.Set(fd, value(fd))
	}
}

func value(fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(canary)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	}
	panic("no canary for " + fd.Kind().String())
}

// found lists the leaves that hold something.
func found(m protoreflect.Message, prefix string, into map[string]bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		path := prefix + string(fd.Name())
		switch {
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				found(v.List().Get(i).Message(), path+".", into)
			}
		case fd.Message() != nil:
			found(v.Message(), path+".", into)
		default:
			into[path] = true
		}
		return true
	})
}

func TestNoAgreementOfTheSandboxLetsAnotherFieldPass(t *testing.T) {
	p := policy(t)
	checked := 0
	for _, a := range p.Agreements.All() {
		if a.Until.Before(now) {
			continue
		}
		for _, m := range a.Methods {
			g, err := p.Agreements.Admit(agreement.Query{
				Consumer: peer.ID{Agency: a.Agency, System: a.Systems[0]}, Method: m.Method, Provider: peer.ID{Agency: a.Provider},
				Purpose: a.Purposes[0].Code, Case: "c", Officer: "o", Now: now,
			})
			require.NoError(t, err)
			answer := dynamicpb.NewMessage(m.Method.Output)
			plant(answer)
			full, err := proto.Marshal(answer)
			require.NoError(t, err)
			out, err := g.Mask.Append(nil, full)
			require.NoError(t, err)
			passed := dynamicpb.NewMessage(m.Method.Output)
			require.NoError(t, proto.Unmarshal(out, passed))
			got, want := map[string]bool{}, map[string]bool{"result.code": true, "result.next": true}
			found(passed, "", got)
			for _, path := range m.Fields {
				want[path] = true
			}
			require.Equal(t, want, got, "%s %s", a.ID, m.Method.Name)
			checked++
		}
	}
	require.Greater(t, checked, 30)
}

func TestEverySandboxFileSaysThatItIsIllustrative(t *testing.T) {
	require.NoError(t, fs.WalkDir(sandbox.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := sandbox.Files.ReadFile(path)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(data), "\n")
		require.True(t, strings.HasPrefix(first, "# Illustrative") || strings.HasPrefix(first, "# Sandbox"), path)
		return nil
	}))
}
