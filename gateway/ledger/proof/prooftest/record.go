package prooftest

import (
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// The field lists that Exchange names.
const (
	Released = "person.full_name,person.residence.province_code,result.code"
	Withheld = "person.ethnicity,person.religion"
)

// What was said in Exchange, and the receipt of it.
var (
	Request    = []byte("\x0a\x0c001087654321")
	Answer     = []byte("\x0a\x0eTRẦN VĂN NAM")
	ReceiptKey = proof.FormatReceiptKey(receipt[:])
	receipt    = sha256.Sum256([]byte("receipt"))
)

// Exchange is the record of an exchange that was answered, as a ledger keeps it.
func Exchange(origin string) *hubv1.LedgerRecord {
	began := time.Date(2026, 11, 20, 18, 30, 1, 250e6, time.UTC) // the 21st in Hà Nội
	released, withheld, contract := sha256.Sum256([]byte(Released)), sha256.Sum256([]byte(Withheld)), sha256.Sum256(nil)
	return &hubv1.LedgerRecord{
		Time:   timestamppb.New(began.Add(12 * time.Millisecond)),
		Origin: origin,
		Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{
			Id:               []byte("\x01\x93\x4c\x0f\x5c\x12\x7a\xbc\x8d\xef\x01\x23\x45\x67\x89\xab"),
			TraceId:          []byte("\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36"),
			Received:         timestamppb.New(began),
			ConsumerAgency:   "H27",
			ConsumerSystem:   "one-stop",
			Certificate:      "5d3a91",
			Officer:          "nv.lan",
			Case:             "000.00.01.H27-261120-0001",
			Purpose:          "TTHC",
			LegalBasis:       "Điều 11 Luật Căn cước 26/2023/QH15",
			ProviderAgency:   "G01",
			Method:           "registry.population.v1.PopulationService/GetPerson",
			Jurisdiction:     "vn",
			Agreement:        "H27-G01-population",
			AgreementVersion: 3,
			Outcome:          hubv1.Exchange_OUTCOME_ANSWERED,
			Result:           &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA},
			Matched:          1,
			RequestBytes:     uint32(len(Request)),
			AnswerBytes:      uint32(len(Answer)),
			TotalUs:          11800,
			DecideUs:         40,
			CarryUs:          9100,
			Timings:          &hubv1.Timings{QueueUs: 20, RegistryUs: 8000, ConnectorUs: 300},
			Face:             "grpc",
			MembersVersion:   "9f86d081884c7d65",
			ContractDigest:   contract[:],
			SubjectHashes:    [][]byte{[]byte("0123456789abcdef"), []byte("fedcba9876543210")},
			SubjectKey:       1,
			RequestDigest:    proof.RequestDigest(receipt[:], Request),
			AnswerDigest:     proof.AnswerDigest(receipt[:], Answer),
			ReleasedDigest:   released[:],
			WithheldDigest:   withheld[:],
		}},
	}
}

// Prove makes the proof of an exchange that names the field lists of Exchange.
func (l *Log) Prove(seq uint64, witnesses ...*Witness) []byte {
	l.t.Helper()
	s := l.Source(seq, witnesses...)
	s.Released, s.Withheld = Released, Withheld
	return l.Build(s)
}

// Build is proof.Build where it must succeed.
func (l *Log) Build(s proof.Source) []byte {
	l.t.Helper()
	doc, err := proof.Build(s)
	if err != nil {
		l.t.Fatalf("build proof: %v", err)
	}
	return doc
}
