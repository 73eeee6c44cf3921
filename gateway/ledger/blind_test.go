package ledger_test

import (
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestTwoRecordsDoNotShowThatTheyAreAboutTheSamePerson(t *testing.T) {
	f := open(t)
	f.ask()
	f.ask()
	kept := exchanges(f.kept())
	a, b := kept[0].GetSubjectHashes()[0], kept[1].GetSubjectHashes()[0]
	require.Len(t, a, 16)
	require.NotEqual(t, a, b)
	require.Equal(t, f.Shown(kept[0].GetId(), [][]byte{a}), f.Shown(kept[1].GetId(), [][]byte{b}))
}

// look is a read of the ledger about the person.
func (f *fixture) look() *hubv1.LedgerRecord {
	id := uuid.Must(uuid.NewV7())
	hashes, key := f.Hash(hubv1.Subject_SUBJECT_PERSONAL_ID, person)
	return &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Access{Access: &hubv1.Access{
		Id: id[:], Agency: "G06", System: "operator-a", Method: "ListCitizen", SubjectHashes: [][]byte{hashes[0][:]}, SubjectKey: key,
	}}}
}

func TestAPersonIsFoundInAllKindsOfRecordsAndByAnIndexMadeAgain(t *testing.T) {
	f := open(t)
	id := uuid.Must(uuid.NewV7())
	_, err := f.Append(t.Context(), intent(id))
	require.NoError(t, err)
	f.ask(func(x *hubv1.Exchange) { x.Id = id[:] })
	access := f.look()
	before := access.GetAccess().GetSubjectHashes()[0]
	require.NoError(t, f.AppendAccess(t.Context(), access))
	require.NoError(t, f.AppendAccess(t.Context(), access), "as at the end of a stream")
	require.Equal(t, before, access.GetAccess().GetSubjectHashes()[0], "the reader's own is as it was")
	eventually(t, func() bool { return f.Status().Indexed == f.Status().Records })
	hashes, _ := f.Hash(hubv1.Subject_SUBJECT_PERSONAL_ID, person)
	page, err := f.Index().Search(t.Context(), index.Query{Subjects: hashes})
	require.NoError(t, err)
	require.Len(t, page.Hits, 4)
	for _, hit := range page.Hits {
		if x := hit.Record.GetExchange(); x != nil {
			require.Equal(t, hashes[0][:], x.GetSubjectHashes()[0], "who searches the ledger sees who is who")
		}
	}
	f.close()

	stored, err := ledger.OpenStored(ledger.Path(f.cfg.Dir))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "index.db")
	require.NoError(t, index.Rebuild(t.Context(), index.Config{Path: path, Source: stored}, func(uint64, uint64) {}))
	x, err := index.Open(t.Context(), index.Config{Path: path, Source: stored})
	require.NoError(t, err)
	defer x.Close()
	require.NoError(t, x.CatchUp(t.Context(), nil))
	page, err = x.Search(t.Context(), index.Query{Subjects: hashes})
	require.NoError(t, err)
	require.Len(t, page.Hits, 4)
}
