package civilstatus

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
)

var anyText = rapid.OneOf(rapid.SampledFrom([]string{"", "18073", "01", "Kinh", "VN", "Nguyễn"}), rapid.String())

var someNames = sync.OnceValue(namesOf)

func anyPart[T any](t *rapid.T, make func() *T) *T {
	if rapid.Bool().Draw(t, "there") {
		return make()
	}
	return nil
}

func anyNumber[T ~int32](t *rapid.T) T { return T(rapid.Int32().Draw(t, "number")) }

func anyAddress(t *rapid.T) *hubv1.Address {
	return anyPart(t, func() *hubv1.Address {
		a := &hubv1.Address{CodeSystem: hubv1.CodeSystem(rapid.Int32Range(0, 3).Draw(t, "system")), CommuneCode: anyText.Draw(t, "commune"), Detail: anyText.Draw(t, "detail")}
		if u, ok := someNames().communes[communeKey{a.CodeSystem, a.CommuneCode}]; ok && rapid.Bool().Draw(t, "usual") {
			a.CommuneName, a.ProvinceCode, a.ProvinceName = u.name, u.province, u.provinceName
		} else {
			a.CommuneName, a.ProvinceCode, a.ProvinceName = anyText.Draw(t, "a"), anyText.Draw(t, "b"), anyText.Draw(t, "c")
		}
		return a
	})
}

func anyName(t *rapid.T) *hubv1.PersonName {
	return anyPart(t, func() *hubv1.PersonName {
		return &hubv1.PersonName{Family: anyText.Draw(t, "family"), Middle: anyText.Draw(t, "middle"), Given: anyText.Draw(t, "given"), Full: anyText.Draw(t, "full")}
	})
}

func anyParty(t *rapid.T) *civilstatusv1.Party {
	return anyPart(t, func() *civilstatusv1.Party {
		return &civilstatusv1.Party{PersonalId: anyText.Draw(t, "id"), Name: anyName(t), BirthDate: anyText.Draw(t, "birth"),
			Sex: anyNumber[hubv1.Sex](t), EthnicCode: anyText.Draw(t, "code"), EthnicName: anyText.Draw(t, "ethnic"),
			Nationality: anyText.Draw(t, "nationality"), ResidenceKind: anyNumber[civilstatusv1.ResidenceKind](t), Residence: anyAddress(t),
			PaperKind: anyNumber[civilstatusv1.PaperKind](t), PaperNumber: anyText.Draw(t, "paper")}
	})
}

func anyHead(t *rapid.T) *civilstatusv1.RecordHead {
	return anyPart(t, func() *civilstatusv1.RecordHead {
		return &civilstatusv1.RecordHead{Number: anyText.Draw(t, "number"), Book: anyText.Draw(t, "book"), Page: anyNumber[int32](t),
			RegisteredOn: anyText.Draw(t, "on"), Kind: anyNumber[civilstatusv1.RegistrationKind](t), AgencyCode: anyText.Draw(t, "code"),
			AgencyName: anyText.Draw(t, "agency"), Signer: anyText.Draw(t, "signer"), SignerTitle: anyText.Draw(t, "title"),
			Clerk: anyText.Draw(t, "clerk"), Note: anyText.Draw(t, "note")}
	})
}

func anyRequester(t *rapid.T) *civilstatusv1.Requester {
	return anyPart(t, func() *civilstatusv1.Requester {
		return &civilstatusv1.Requester{FullName: anyText.Draw(t, "name"), Relation: anyText.Draw(t, "relation"), PersonalId: anyText.Draw(t, "id")}
	})
}

// requireSame checks that a record is read as it was written, and that no part of its page can be read as one.
func requireSame[T proto.Message](t *rapid.T, record, read T, describe func(T) func(*codec)) {
	names := someNames()
	page := names.write(describe(record))
	require.NoError(t, names.read(string(page), describe(read)))
	require.True(t, proto.Equal(record, read), "%v\n%v", record, read)
	cut := rapid.IntRange(0, len(page)-1).Draw(t, "cut")
	require.ErrorIs(t, names.read(string(page[:cut]), describe(read)), errPage)
	require.ErrorIs(t, names.read(string(page)+"\x00", describe(read)), errPage)
}

func TestPageIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		requireSame(t, &civilstatusv1.BirthRecord{Head: anyHead(t), PersonalId: anyText.Draw(t, "id"), Name: anyName(t), Sex: anyNumber[hubv1.Sex](t),
			BirthDate: anyText.Draw(t, "birth"), Birthplace: anyAddress(t), Hometown: anyAddress(t), EthnicCode: anyText.Draw(t, "code"),
			EthnicName: anyText.Draw(t, "ethnic"), Nationality: anyText.Draw(t, "nationality"), BirthKind: anyNumber[civilstatusv1.BirthKind](t),
			Mother: anyParty(t), Father: anyParty(t), Requester: anyRequester(t),
		}, &civilstatusv1.BirthRecord{}, func(r *civilstatusv1.BirthRecord) func(*codec) { return func(c *codec) { c.birth(r) } })
		requireSame(t, &civilstatusv1.MarriageRecord{Head: anyHead(t), Husband: anyParty(t), Wife: anyParty(t),
			State: anyNumber[civilstatusv1.MarriageState](t), EndedOn: anyText.Draw(t, "ended"),
		}, &civilstatusv1.MarriageRecord{}, func(r *civilstatusv1.MarriageRecord) func(*codec) { return func(c *codec) { c.marriage(r) } })
		requireSame(t, &civilstatusv1.DeathRecord{Head: anyHead(t), Deceased: anyParty(t), DiedOn: anyText.Draw(t, "on"), DiedAt: anyText.Draw(t, "at"),
			Place: anyAddress(t), Cause: anyText.Draw(t, "cause"), Document: anyNumber[civilstatusv1.DeathDocument](t),
			DocumentNumber: anyText.Draw(t, "number"), Requester: anyRequester(t),
		}, &civilstatusv1.DeathRecord{}, func(r *civilstatusv1.DeathRecord) func(*codec) { return func(c *codec) { c.death(r) } })
	})
}

// TestPageHoldsEveryFieldOfItsRecord fails when a record gets a field that the codec does not know.
func TestPageHoldsEveryFieldOfItsRecord(t *testing.T) {
	for m, fields := range map[proto.Message]int{
		&civilstatusv1.BirthRecord{}: 15, &civilstatusv1.MarriageRecord{}: 5, &civilstatusv1.DeathRecord{}: 9, &civilstatusv1.Party{}: 11,
		&civilstatusv1.RecordHead{}: 11, &civilstatusv1.Requester{}: 3, &hubv1.Address{}: 6, &hubv1.PersonName{}: 4,
	} {
		require.Equal(t, fields, m.ProtoReflect().Descriptor().Fields().Len(), "%T", m)
	}
}

func FuzzPageIsReadOrRefused(f *testing.F) {
	names := someNames()
	f.Add(string(names.write(func(c *codec) { c.birth(&civilstatusv1.BirthRecord{PersonalId: "042187001234"}) })))
	f.Fuzz(func(t *testing.T, page string) {
		r := &civilstatusv1.BirthRecord{}
		if names.read(page, func(c *codec) { c.birth(r) }) != nil {
			return
		}
		again := &civilstatusv1.BirthRecord{}
		written := names.write(func(c *codec) { c.birth(r) })
		require.NoError(t, names.read(string(written), func(c *codec) { c.birth(again) }))
		require.True(t, proto.Equal(r, again))
	})
}
