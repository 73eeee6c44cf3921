package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func newID() []byte { id := uuid.Must(uuid.NewV7()); return id[:] }

// exchange is the record of an exchange between agencies about people.
func exchange(consumer, provider string, names ...string) *hubv1.LedgerRecord {
	agency, system, _ := strings.Cut(consumer, "/")
	return &hubv1.LedgerRecord{Time: timestamppb.Now(), Origin: origin, Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{
		Id: newID(), TraceId: newID(), ConsumerAgency: agency, ConsumerSystem: system, ProviderAgency: provider,
		Method: "registry.population.v1.PopulationService/GetPerson", Purpose: "HT-KS", Case: "H27-0001", Officer: "hoa",
		Outcome: hubv1.Exchange_OUTCOME_ANSWERED, SubjectHashes: hashes(names...), SubjectKey: 1, TotalUs: 1500, AnswerBytes: 10,
	}}}
}

func intent(consumer, provider string, names ...string) *hubv1.LedgerRecord {
	agency, system, _ := strings.Cut(consumer, "/")
	return &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Intent{Intent: &hubv1.Intent{
		ExchangeId: newID(), ConsumerAgency: agency, ConsumerSystem: system, ProviderAgency: provider, SubjectHashes: hashes(names...),
	}}}
}

func access(reader string, names ...string) *hubv1.LedgerRecord {
	agency, system, _ := strings.Cut(reader, "/")
	return &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Access{Access: &hubv1.Access{
		Id: newID(), Agency: agency, System: system, Method: "Search", SubjectHashes: hashes(names...),
	}}}
}

func notice(n *hubv1.Notice) *hubv1.LedgerRecord {
	return &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Notice{Notice: n}}
}

// planted are the entries of the matrix, by what they are.
func planted() (names []string, records []*hubv1.LedgerRecord) {
	add := func(name string, r *hubv1.LedgerRecord) { names, records = append(names, name), append(records, r) }
	add("H27 asks G01 about An and Bình", exchange("H27/one-stop", "G01", "An", "Bình"))
	add("another system of H27 asks G24 about An", exchange("H27/other", "G24", "An"))
	add("G24 asks G01 about Bình", exchange("G24/claims", "G01", "Bình"))
	add("G24 asks itself about Chi", exchange("G24/claims", "G24", "Chi"))
	add("G24 asks H27 about Chi", exchange("G24/claims", "H27", "Chi"))
	add("a unit of H27 asks G01 about An", exchange("H27.07/clinic", "G01", "An"))
	add("H27 asks nobody that is known", exchange("H27/one-stop", ""))
	add("H27 is about to ask G01 about An", intent("H27/one-stop", "G01", "An"))
	add("H27 changes an agreement", &hubv1.LedgerRecord{Time: timestamppb.Now(), Event: &hubv1.LedgerRecord_Change{Change: &hubv1.Change{
		Kind: hubv1.Change_KIND_AGREEMENT, Object: "H27-G01", Agency: "H27", System: "steward",
	}}})
	add("H27 reads about An", access("H27/one-stop", "An"))
	add("G06 reads about Bình", access("G06/operator", "Bình"))
	add("the ledger was opened", notice(&hubv1.Notice{About: &hubv1.Notice_Opened_{Opened: &hubv1.Notice_Opened{}}}))
	add("H27 was refused often", notice(&hubv1.Notice{About: &hubv1.Notice_Refusals_{Refusals: &hubv1.Notice_Refusals{
		ConsumerAgency: "H27", ConsumerSystem: "one-stop", Reason: "NO_AGREEMENT", Count: 5, First: timestamppb.Now(), Last: timestamppb.Now(),
	}}}))
	return names, records
}

// reader is somebody of the matrix, and what it may see of the planted entries, written by hand: positions in planted.
type reader struct {
	name  string
	token string // whose, if one is shown
	sees  []int
	about []int // what it sees of An when it may look for her by number
}

var everything = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

var ofAn = []int{0, 1, 5, 7, 9}

var readers = []reader{
	{"G06/operator", "", everything, ofAn},
	{"G20/auditor", "", everything, ofAn},
	{"H27/one-stop", "", []int{0, 1, 6, 7}, nil},
	{"G24/claims", "", []int{2, 3, 4}, nil},
	{"G01/registry", "", []int{0, 2, 5, 7}, []int{0, 5, 7}},
	{"G01/steward", "", []int{0, 2, 5, 7}, []int{0, 5, 7}},
	{"H27/both", "", []int{0, 1, 4, 6, 7}, []int{}},
	{"G24/both", "", []int{1, 2, 3, 4}, []int{1}},
	{"G22/portal", "", nil, nil},
	{"G06/gateway", "", nil, nil},
	{"G09/all", "", everything, ofAn},
	{"G22/portal", "An", ofAn, nil},
	{"H27/one-stop", "An", ofAn, nil},
	{"G06/operator", "Bình", []int{0, 2, 10}, nil},
	{"G06/gateway", "Chi", []int{3, 4}, nil},
}

// may are the methods that each kind of reader may call, written by hand.
var may = map[string]string{
	"operator": "Search Follow Show Prove ListCitizen ListVolumes GetStatus Export IssueCitizenToken RotateSubjectKey",
	"auditor":  "Search Follow Show Prove ListCitizen ListVolumes GetStatus Export",
	"registry": "Search Follow Show Prove ListCitizen ListVolumes Export", "steward": "Search Follow Show Prove ListCitizen ListVolumes Export",
	"one-stop": "Search Follow Show Prove ListVolumes Export", "claims": "Search Follow Show Prove ListVolumes Export",
	"both": "Search Follow Show Prove ListCitizen ListVolumes Export", "portal": "IssueCitizenToken", "gateway": "",
	"all": "Search Follow Show Prove ListCitizen ListVolumes GetStatus Export IssueCitizenToken RotateSubjectKey",
}

const mayWithToken = "Search Show Prove ListCitizen"

// mayCall reports whether a reader may call a method at all.
func (r reader) mayCall(method string) bool {
	allowed := may[r.name[strings.IndexByte(r.name, '/')+1:]]
	if r.token != "" {
		allowed = mayWithToken
	}
	return slices.Contains(strings.Fields(allowed), method)
}

// calls are what each method gives of the planted entries, which begin at first: their numbers in planted.
var calls = map[string]func(w *world, ctx context.Context, c hubv1.LedgerServiceClient, r reader, first uint64) ([]int, error){
	"Search": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, first uint64) ([]int, error) {
		return paged(first, func(cursor string) ([]*hubv1.LedgerEntry, string, error) {
			got, err := c.Search(ctx, &hubv1.SearchRequest{Limit: 100, Cursor: cursor})
			return got.GetEntries(), got.GetNextCursor(), err
		})
	},
	"Show": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, first uint64) (seen []int, _ error) {
		return each(first, func(position string) (*hubv1.LedgerEntry, error) {
			got, err := c.Show(ctx, &hubv1.ShowRequest{Position: position})
			return got.GetEntry(), err
		})
	},
	"Prove": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, first uint64) ([]int, error) {
		return each(first, func(position string) (*hubv1.LedgerEntry, error) {
			got, err := c.Prove(ctx, &hubv1.ProveRequest{Position: position})
			var proof struct{ Seq uint64 }
			if err == nil && json.Unmarshal(got.GetProof(), &proof) != nil {
				return nil, errors.New("no proof")
			}
			return &hubv1.LedgerEntry{Seq: proof.Seq}, err
		})
	},
	"ListCitizen": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, r reader, first uint64) ([]int, error) {
		request := &hubv1.ListCitizenRequest{}
		if r.token == "" {
			request.Subject = subject("An")
		}
		return paged(first, func(cursor string) ([]*hubv1.LedgerEntry, string, error) {
			request.Cursor = cursor
			got, err := c.ListCitizen(ctx, request)
			return got.GetEntries(), got.GetNextCursor(), err
		})
	},
	"Follow": func(w *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, _ uint64) ([]int, error) {
		return follow(w, ctx, c)
	},
	"Export": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, first uint64) ([]int, error) {
		stream, err := c.Export(ctx, &hubv1.ExportRequest{})
		if err != nil {
			return nil, err
		}
		data, _, err := exported(stream)
		var entries []*hubv1.LedgerEntry
		for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
			var e struct {
				Seq uint64 `json:"seq,string"`
			}
			if len(line) > 0 && json.Unmarshal(line, &e) != nil {
				return nil, errors.New("no JSON")
			}
			entries = append(entries, &hubv1.LedgerEntry{Seq: e.Seq})
		}
		return plantedOf(first, entries), err
	},
	"ListVolumes": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, _ uint64) ([]int, error) {
		_, err := c.ListVolumes(ctx, &hubv1.ListVolumesRequest{})
		return nil, err
	},
	"GetStatus": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, _ uint64) ([]int, error) {
		_, err := c.GetStatus(ctx, &hubv1.GetStatusRequest{})
		return nil, err
	},
	"IssueCitizenToken": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, _ uint64) ([]int, error) {
		_, err := c.IssueCitizenToken(ctx, &hubv1.IssueCitizenTokenRequest{Subject: subject("An")})
		return nil, err
	},
	"RotateSubjectKey": func(_ *world, ctx context.Context, c hubv1.LedgerServiceClient, _ reader, _ uint64) ([]int, error) {
		_, err := c.RotateSubjectKey(ctx, &hubv1.RotateSubjectKeyRequest{})
		return nil, err
	},
}

// paged reads all pages.
func paged(first uint64, page func(cursor string) ([]*hubv1.LedgerEntry, string, error)) ([]int, error) {
	var all []*hubv1.LedgerEntry
	for cursor := ""; ; {
		entries, next, err := page(cursor)
		all = append(all, entries...)
		if err != nil || next == "" {
			return plantedOf(first, all), err
		}
		cursor = next
	}
}

// each asks for the planted entries one by one. What is not there must look as what may not be seen does.
func each(first uint64, ask func(position string) (*hubv1.LedgerEntry, error)) (seen []int, _ error) {
	_, unknown := ask("G99/elsewhere:0")
	for i := range everything {
		entry, err := ask(fmt.Sprintf("%s:%d", origin, first+uint64(i)))
		switch {
		case err == nil && entry.GetSeq() == first+uint64(i):
			seen = append(seen, i)
		case err == nil:
			return nil, errors.New("another entry")
		case err.Error() != unknown.Error():
			return nil, fmt.Errorf("%w, and for what is not there %w", err, unknown)
		}
	}
	if len(seen) == 0 {
		return nil, unknown
	}
	return seen, nil
}

// plantedOf are the numbers of the planted entries among those that were given.
func plantedOf(first uint64, entries []*hubv1.LedgerEntry) (seen []int) {
	for _, e := range entries {
		if i := int(e.GetSeq()) - int(first); i >= 0 && i < len(everything) {
			seen = append(seen, i)
		}
	}
	slices.Sort(seen)
	return seen
}

// exported collects an exported file and its signature.
func exported(stream grpc.ServerStreamingClient[hubv1.ExportResponse]) (data, signature []byte, err error) {
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return data, signature, nil
		}
		if err != nil {
			return data, signature, err
		}
		if signature != nil {
			return nil, nil, errors.New("something follows the signature")
		}
		data, signature = append(data, piece.GetData()...), piece.GetSignature()
	}
}

// follow follows while the entries are planted once more, and a last one that every follower may see.
func follow(w *world, ctx context.Context, c hubv1.LedgerServiceClient) ([]int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Follow(ctx, &hubv1.FollowRequest{})
	if err != nil {
		return nil, err
	}
	if header, err := stream.Header(); err != nil || header == nil { // which comes when following has begun
		_, err := stream.Recv()
		return nil, err
	}
	_, records := planted()
	first := w.keep(records...)
	last := w.keep(exchange("H27/one-stop", "G01", "An"), exchange("G24/claims", "G24", "An"))
	var entries []*hubv1.LedgerEntry
	for {
		got, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if got.GetEntry().GetSeq() >= last {
			return plantedOf(first, entries), nil
		}
		entries = append(entries, got.GetEntry())
	}
}

func TestEachReaderSeesWithEachMethodWhatTheTableSaysAndNothingElse(t *testing.T) {
	w := newWorld(t)
	names, records := planted()
	first := w.keep(records...)
	for _, r := range readers {
		for method, call := range calls {
			t.Run(strings.TrimSpace(r.name+" "+r.token)+" "+method, func(t *testing.T) {
				ctx := t.Context()
				if r.token != "" {
					ctx = with(ctx, w.token(r.token))
				}
				before := len(w.journal.accesses(t))
				got, err := call(w, ctx, w.as(r.name), r, first)
				mine := slices.DeleteFunc(w.journal.accesses(t)[before:], func(a *hubv1.Access) bool {
					return a.GetAgency()+"/"+a.GetSystem() != r.name || a.GetMethod() != method
				})
				require.NotEmpty(t, mine, "every call is recorded")
				if !r.mayCall(method) {
					refused(t, w.heard(err), reason.LedgerReadNotAllowed)
					require.Equal(t, string(reason.LedgerReadNotAllowed), mine[0].GetReason())
					require.Equal(t, hubv1.Access_ROLE_UNSPECIFIED, mine[0].GetRole())
					return
				}
				require.NoError(t, err)
				want := r.sees
				switch method {
				case "ListVolumes", "GetStatus", "IssueCitizenToken", "RotateSubjectKey":
					want = nil
				case "ListCitizen":
					if want = r.about; r.token != "" {
						want = r.sees
					}
				}
				for i := range everything {
					require.Equal(t, slices.Contains(want, i), slices.Contains(got, i), names[i])
				}
			})
		}
	}
}
