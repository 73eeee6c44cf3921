package ledger_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestNoNumberOfAPersonIsKeptAnywhere(t *testing.T) {
	f := open(t)
	f.ask()
	_, err := f.Append(t.Context(), intent(uuid.Must(uuid.NewV7())))
	require.NoError(t, err)
	eventually(t, func() bool { return f.Status().Indexed >= 2 && f.Status().Proven >= 2 })
	f.close()
	require.NotContains(t, string(everything(t, f.cfg.Dir)), person)
	require.NotContains(t, f.log.String(), person)
}

func TestEverybodyAnExchangeIsAboutIsInItsRecordOnce(t *testing.T) {
	for _, people := range []int{1, 3, 16, 17, 1000} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			f := open(t)
			var all []*hubv1.DataSubject
			for i := range people {
				all = append(all, &hubv1.DataSubject{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: fmt.Sprintf("%012d", i)})
			}
			f.ask(func(x *hubv1.Exchange) { x.Subjects = append(slices.Clone(all), all...) })
			x := exchanges(f.kept())[0]
			require.Len(t, x.GetSubjectHashes(), people)
			for i, s := range all {
				hashes, key := f.Hash(s.GetKind(), s.GetValue())
				require.Equal(t, hashes[0][:], f.Shown(x.GetId(), x.GetSubjectHashes())[i])
				require.Equal(t, key, x.GetSubjectKey())
			}
		})
	}
}

func TestTheKindOfANumberTellsPeopleApart(t *testing.T) {
	f := open(t)
	a, _ := f.Hash(hubv1.Subject_SUBJECT_OLD_ID, "123456789")
	b, _ := f.Hash(hubv1.Subject_SUBJECT_INSURANCE_NUMBER, "123456789")
	require.NotEqual(t, a, b)
}

func TestANumberIsTheSamePersonHoweverRegistriesTakeIt(t *testing.T) {
	f := open(t)
	hash := func(kind hubv1.Subject, number string) [16]byte {
		all, _ := f.Hash(kind, number)
		return all[0]
	}
	card := hubv1.Subject_SUBJECT_CARD_NUMBER
	require.Equal(t, hash(card, "HS4010123456789"), hash(card, "hs4010123456789"))
	require.Equal(t, hash(hubv1.Subject_SUBJECT_INSURANCE_NUMBER, "0123456789"), hash(card, "0123456789"))
}

func TestWhatARegistryRefusedForWhatItKnowsOfSomebodyHasItsOwnRecord(t *testing.T) {
	f := open(t)
	for range 30 {
		f.ask(refused("PERSON_DECEASED"), func(x *hubv1.Exchange) { x.CarryUs = 900 })
		f.ask(refused("ID_MALFORMED"), func(x *hubv1.Exchange) { x.CarryUs = 900 })
	}
	own := map[string]int{}
	for _, x := range exchanges(f.kept()) {
		own[x.GetReason()]++
	}
	require.Equal(t, 30, own["PERSON_DECEASED"])
	require.LessOrEqual(t, own["ID_MALFORMED"], 20)
}

func TestAReceiptShowsWhichBytesWereAskedAndAnswered(t *testing.T) {
	f := open(t)
	e := evidence()
	r, err := f.Append(t.Context(), e)
	require.NoError(t, err)
	require.Regexp(t, `^G06/gateway:\d+$`, r.Position)
	key, err := proof.ParseReceiptKey(r.Key)
	require.NoError(t, err)
	x := exchanges(f.kept())[0]
	require.True(t, hmac.Equal(proof.RequestDigest(key, e.Request), x.GetRequestDigest()))
	require.True(t, hmac.Equal(proof.AnswerDigest(key, e.Answer), x.GetAnswerDigest()))

	other, err := proof.ParseReceiptKey(f.ask().Key)
	require.NoError(t, err)
	require.NotEqual(t, proof.AnswerDigest(other, e.Answer), x.GetAnswerDigest(), "each exchange has a key of its own")
}

func TestARefusalHasNoDigestOfAnAnswer(t *testing.T) {
	f := open(t)
	f.ask(refused("NO_AGREEMENT"))
	require.Empty(t, exchanges(f.kept())[0].GetAnswerDigest())
}

func TestLongListsOfFieldsAreWrittenOnceAndBeforeTheyAreNamed(t *testing.T) {
	f := open(t)
	long := strings.Repeat("person.name.full,", 10) + "person.sex"
	for range 3 {
		f.ask(func(x *hubv1.Exchange) { x.Released, x.Withheld = long, "religion" })
	}
	sum := sha256.Sum256([]byte(long))
	all := f.kept()
	require.Len(t, notices(all, (*hubv1.Notice).GetFields), 1)
	require.Equal(t, long, notices(all, (*hubv1.Notice).GetFields)[0].GetLists()[0])
	var told bool
	for _, r := range all {
		told = told || r.GetNotice().GetFields() != nil
		if x := r.GetExchange(); x != nil {
			require.True(t, told)
			require.Equal(t, sum[:], x.GetReleasedDigest())
			require.Empty(t, x.GetReleased())
			require.Equal(t, "religion", x.GetWithheld(), "a short list stands in the record itself")
		}
	}
}

func TestEqualRefusalsBeyondTenInAMinuteBecomeOneCountingRecord(t *testing.T) {
	f := open(t)
	for range 100 {
		f.ask(refused("NO_AGREEMENT"))
	}
	f.ask(refused("PURPOSE_REQUIRED"))
	f.ask(refused("NO_AGREEMENT"), func(x *hubv1.Exchange) { x.ConsumerSystem = "other" })
	f.ask()
	f.close()
	all := f.kept()
	own := map[string]int{}
	for _, x := range exchanges(all) {
		own[x.GetConsumerSystem()+x.GetReason()]++
	}
	require.Equal(t, 1, own["one-stopPURPOSE_REQUIRED"])
	require.Equal(t, 1, own["otherNO_AGREEMENT"])
	require.Equal(t, 1, own["one-stop"])
	counted := uint64(own["one-stopNO_AGREEMENT"])
	require.LessOrEqual(t, counted, uint64(20), "ten in each of the minutes that this took, two at most")
	for _, n := range notices(all, (*hubv1.Notice).GetRefusals) {
		require.Equal(t, []string{"H27", "one-stop", "NO_AGREEMENT"}, []string{n.GetConsumerAgency(), n.GetConsumerSystem(), n.GetReason()})
		counted += n.GetCount()
	}
	require.EqualValues(t, 100, counted, "no refusal is lost")
}

func TestWhoIsRefusedAChangeHasARecordUntilThereAreTooMany(t *testing.T) {
	f := open(t)
	act := func(method string) {
		c := &hubv1.Change{Agency: "H27", System: "one-stop", Text: "refused: " + method, Reason: "ACT_NOT_ALLOWED"}
		require.NoError(t, f.AppendRefusal(t.Context(), method, c))
	}
	for range 30 {
		f.ask(refused("ACT_NOT_ALLOWED"))
		act("ListOfficers")
	}
	act("ApproveAgreement")
	f.close()
	all := f.kept()
	own := map[string]uint64{}
	for _, r := range all {
		own[r.GetChange().GetText()]++
	}
	require.EqualValues(t, 1, own["refused: ApproveAgreement"], "it is not counted among refusals of something else")
	count := own["refused: ListOfficers"]
	require.GreaterOrEqual(t, count, uint64(10))
	require.LessOrEqual(t, count, uint64(20), "ten in each of the minutes that this took, two at most")
	for _, n := range notices(all, (*hubv1.Notice).GetRefusals) {
		if n.GetMethod() != "" {
			require.Equal(t, "ListOfficers", n.GetMethod())
			count += n.GetCount()
		}
	}
	require.EqualValues(t, 30, count, "no refusal is lost")
}

func TestARefusedWriteAlwaysHasARecordOfItsOwn(t *testing.T) {
	f := open(t)
	for range 15 {
		id := uuid.Must(uuid.NewV7())
		_, err := f.Append(t.Context(), intent(id))
		require.NoError(t, err)
		f.ask(refused("ID_UNKNOWN"), func(x *hubv1.Exchange) { x.Id = id[:] })
	}
	require.Len(t, exchanges(f.kept()), 15)
	require.Zero(t, f.Status().OpenIntents)
}

func TestAnIntentThatACrashLeftOpenIsInDoubtOnce(t *testing.T) {
	f := open(t)
	done, lost := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for _, id := range []uuid.UUID{done, lost} {
		_, err := f.Append(t.Context(), intent(id))
		require.NoError(t, err)
	}
	f.ask(func(x *hubv1.Exchange) { x.Id = done[:] })
	require.Equal(t, 1, f.Status().OpenIntents)
	f.crash()

	f.open()
	doubts := notices(f.kept(), (*hubv1.Notice).GetInDoubt)
	require.Len(t, doubts, 1)
	require.Equal(t, lost[:], doubts[0].GetExchangeId())
	require.Equal(t, lost[:], f.kept()[doubts[0].GetIntentSeq()].GetIntent().GetExchangeId())
	require.Contains(t, f.log.String(), "in doubt")
	f.crash()

	f.open()
	require.Len(t, notices(f.kept(), (*hubv1.Notice).GetInDoubt), 1)
	opened := notices(f.kept(), (*hubv1.Notice).GetOpened)
	require.True(t, opened[0].GetClean())
	require.False(t, opened[1].GetClean())
}

func TestANewLedgerSaysWhyItBegins(t *testing.T) {
	why := &hubv1.Change{Kind: hubv1.Change_KIND_RESTORED, Text: "restored from a backup"}
	f := open(t, func(c *ledger.Config) { c.Beginning = why })
	require.Equal(t, why.GetText(), f.kept()[0].GetChange().GetText())
	f.close()
	f.open()
	for _, r := range f.kept()[1:] {
		require.Nil(t, r.GetChange(), "and only then")
	}
}

func TestTheLastRecordOfALedgerIsProven(t *testing.T) {
	f := open(t)
	f.ask()
	f.stop()
	require.Equal(t, f.Status().Records, f.Status().Proven)
	f.close()
	require.NotNil(t, f.kept()[len(f.kept())-1].GetNotice().GetClosed())
}

func TestALedgerThatWasClosedIsCleanWhenItIsOpenedAgain(t *testing.T) {
	f := open(t)
	f.ask()
	f.close()
	f.open()
	opened := notices(f.kept(), (*hubv1.Notice).GetOpened)
	require.Len(t, opened, 2)
	require.True(t, opened[1].GetClean())
}

func TestTimesOfRecordsNeverGoBackAndTheLedgerSaysThatTheClockDid(t *testing.T) {
	f := open(t)
	at := func(seconds int64) {
		e := evidence()
		e.Record.Time = &timestamppb.Timestamp{Seconds: seconds}
		_, err := f.Append(t.Context(), e)
		require.NoError(t, err)
	}
	future := timestamppb.Now().GetSeconds() + 1000
	at(future)
	at(future - 500)
	at(future + 1)
	eventually(t, func() bool { return len(notices(f.kept(), (*hubv1.Notice).GetClockBack)) == 1 })
	var last int64
	for _, r := range f.kept() {
		now := r.GetTime().AsTime().UnixNano()
		require.GreaterOrEqual(t, now, last)
		last = now
	}
	require.Contains(t, f.log.String(), "the clock has gone back")
	f.crash()
	f.open()
	require.GreaterOrEqual(t, f.kept()[len(f.kept())-1].GetTime().GetSeconds(), future+1, "a restart does not forget it")
}

func TestOldRecordsAreFoundUnderTheKeyOfTheirTime(t *testing.T) {
	f := open(t)
	f.ask()
	number, err := f.RotateSubjectKey(t.Context(), &hubv1.Change{Agency: "G06", System: "operator-a"})
	require.NoError(t, err)
	require.EqualValues(t, 2, number)
	f.ask()
	f.close()
	f.open()
	hashes, key := f.Hash(hubv1.Subject_SUBJECT_PERSONAL_ID, person)
	require.EqualValues(t, 2, key)
	require.Len(t, hashes, 2)
	kept := exchanges(f.kept())
	require.Equal(t, hashes[1][:], f.Shown(kept[0].GetId(), kept[0].GetSubjectHashes())[0])
	require.Equal(t, hashes[0][:], f.Shown(kept[1].GetId(), kept[1].GetSubjectHashes())[0])
	require.NotEqual(t, hashes[0], hashes[1])
	eventually(t, func() bool { return f.Status().Indexed == f.Status().Records })
	page, err := f.Index().Search(t.Context(), index.Query{Subjects: hashes, Kinds: []index.Kind{index.KindExchange}})
	require.NoError(t, err)
	require.Len(t, page.Hits, 2)
}

func TestEveryRecordCanBeProvenToAStranger(t *testing.T) {
	f := open(t)
	long := strings.Repeat("person.name.full,", 10)
	e := evidence(func(x *hubv1.Exchange) { x.Released = long })
	r, err := f.Append(t.Context(), e)
	require.NoError(t, err)
	seq, ok := f.ParsePosition(r.Position)
	require.True(t, ok)
	eventually(t, func() bool { return f.Status().Proven > seq && f.Status().Indexed > seq })
	doc, err := f.Prove(t.Context(), seq)
	require.NoError(t, err)
	key, err := os.ReadFile(ledger.Path(f.cfg.Dir).LogPub())
	require.NoError(t, err)
	v, err := proof.Verify(doc, proof.Options{LogKey: strings.TrimSpace(string(key)), Answer: e.Answer, ReceiptKey: r.Key})
	require.NoError(t, err)
	require.True(t, v.OK())
	require.NotContains(t, string(doc), person)
}

func TestWithoutItsKeysALedgerWithRecordsIsNotOpened(t *testing.T) {
	f := open(t)
	f.ask()
	f.close()
	keys := ledger.Path(f.cfg.Dir).Keys()
	data, err := os.ReadFile(keys)
	require.NoError(t, err)
	for name, spoil := range map[string]func() error{
		"missing":  func() error { return os.Remove(keys) },
		"not JSON": func() error { return os.WriteFile(keys, []byte("x"), 0o600) },
		"no keys":  func() error { return os.WriteFile(keys, []byte("{}"), 0o600) },
		"a changed key": func() error {
			i := bytes.Index(data, []byte(`"key": "`)) + len(`"key": "`)
			spoilt := bytes.Clone(data)
			if spoilt[i] = 'A'; data[i] == 'A' {
				spoilt[i] = 'B'
			}
			return os.WriteFile(keys, spoilt, 0o600)
		},
		"half a key": func() error { return os.WriteFile(keys, data[:len(data)/2], 0o600) },
	} {
		require.NoError(t, spoil())
		_, err := ledger.Open(t.Context(), f.cfg)
		require.ErrorContains(t, err, "keys", name)
	}
	require.NoError(t, os.WriteFile(keys, data, 0o600))
	f.open()
}

func TestKeysThatAreOlderThanTheRecordsAreRefused(t *testing.T) {
	f := open(t)
	f.ask()
	keys := ledger.Path(f.cfg.Dir).Keys()
	old, err := os.ReadFile(keys)
	require.NoError(t, err)
	_, err = f.RotateSubjectKey(t.Context(), &hubv1.Change{Agency: "G06", System: "operator-a"})
	require.NoError(t, err)
	f.ask()
	f.close()
	newer, err := os.ReadFile(keys)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keys, old, 0o600))
	_, err = ledger.Open(t.Context(), f.cfg)
	require.ErrorContains(t, err, "older than record G06/gateway:")
	require.NoError(t, os.WriteFile(keys, newer, 0o600))
	f.open()
}

func TestTwoDoNotKeepOneLedger(t *testing.T) {
	f := open(t)
	_, err := ledger.Open(t.Context(), f.cfg)
	require.Error(t, err)
	f.ask()
}

func TestAThousandAtOnceAreAllKept(t *testing.T) {
	f := open(t)
	var wg sync.WaitGroup
	positions := make([]string, 1000)
	for i := range positions {
		wg.Go(func() {
			r, err := f.Append(context.Background(), evidence())
			if err == nil {
				positions[i] = r.Position
			}
		})
	}
	wg.Wait()
	slices.Sort(positions)
	require.Len(t, slices.Compact(positions), 1000)
	require.NotEmpty(t, positions[0])
	require.Len(t, exchanges(f.kept()), 1000)
}
