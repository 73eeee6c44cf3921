package proof

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Why bytes are no record.
var (
	errRecord  = errors.New("the bytes are no record of a ledger")
	errNewer   = errors.New("the record has fields that this program does not know: verify it with a newer one")
	errNoEvent = errors.New("the record does not say what happened, or not in a way that this program knows: try a newer one")
)

// decodeRecord decodes a record's bytes. Fields that are not known are a fault: what could not be shown might change
// what the rest means.
func decodeRecord(record []byte) (*hubv1.LedgerRecord, error) {
	whole, known := new(hubv1.LedgerRecord), new(hubv1.LedgerRecord)
	if err := proto.Unmarshal(record, whole); err != nil {
		return nil, errRecord
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(record, known); err != nil {
		return nil, errRecord
	}
	if !proto.Equal(whole, known) {
		return nil, errNewer
	}
	if whole.GetEvent() == nil {
		return nil, errNoEvent
	}
	return whole, nil
}

// checkKept refuses a record that names people, which no ledger keeps and no document may carry.
func checkKept(r *hubv1.LedgerRecord) error {
	if len(r.GetExchange().GetSubjects()) > 0 || len(r.GetIntent().GetSubjects()) > 0 {
		return fmt.Errorf("a record at hand still has its data subjects in clear: only records as they are kept can be proven")
	}
	return nil
}
