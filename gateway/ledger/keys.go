package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// keySize is the length of every secret, in bytes.
const keySize = 32

// secrets are what only the ledger knows. They are kept in one file beside it.
type secrets struct {
	Subjects []subjectKey `json:"subjects"` // for hashes of data subjects, the newest last; never empty
	Receipt  []byte       `json:"receipt"`  // receipts' keys are derived from it
	Token    []byte       `json:"token"`    // for citizens' tokens
	Sum      []byte       `json:"sum"`      // SHA-256 of all keys: one that has changed would find nobody, silently
}

// subjectKey is one key for hashes of data subjects.
type subjectKey struct {
	Number uint32    `json:"number"` // from 1
	Key    []byte    `json:"key"`
	Made   time.Time `json:"made"`
}

// openSecrets reads the file, or makes it where the ledger is new. Without its keys a ledger that has records would
// find nobody in them: then a missing file is an error.
func openSecrets(path string, isNew bool, now time.Time) (*secrets, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && isNew {
		s := &secrets{Receipt: newKey(), Token: newKey()}
		s.rotate(now)
		return s, s.store(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the ledger's keys are missing: %s; put them back from a backup", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger's keys: %w", err)
	}
	s := new(secrets)
	if err := s.parse(data); err != nil {
		return nil, fmt.Errorf("read the ledger's keys in %s, which may be put back from a backup: %w", path, err)
	}
	return s, nil
}

func (s *secrets) parse(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(s); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	if len(s.Subjects) == 0 || len(s.Receipt) != keySize || len(s.Token) != keySize {
		return errors.New("a key is missing or of the wrong size")
	}
	if sum := s.sum(); !bytes.Equal(s.Sum, sum[:]) {
		return errors.New("a key has changed: the sum is not right")
	}
	for i, k := range s.Subjects {
		if len(k.Key) != keySize || k.Number != uint32(i)+1 {
			return fmt.Errorf("subjects[%d] is no key with number %d", i, i+1)
		}
	}
	return nil
}

// sum is the SHA-256 of all keys, each with its length before it.
func (s *secrets) sum() [sha256.Size]byte {
	h := sha256.New()
	for _, k := range append([]subjectKey{{Key: s.Receipt}, {Key: s.Token}}, s.Subjects...) {
		h.Write(binary.BigEndian.AppendUint32(nil, k.Number))
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(k.Key))))
		h.Write(k.Key)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// CheckKeys reports whether a ledger's keys can be read as they were written.
func CheckKeys(path Path) error {
	_, err := openSecrets(path.Keys(), false, time.Time{})
	return err
}

func (s *secrets) store(path string) error {
	sum := s.sum()
	s.Sum = sum[:]
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = safefile.Write(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the ledger's keys: %w", err)
	}
	return nil
}

// rotate adds a key for hashes of data subjects.
func (s *secrets) rotate(now time.Time) uint32 {
	number := uint32(len(s.Subjects)) + 1
	s.Subjects = append(s.Subjects, subjectKey{Number: number, Key: newKey(), Made: now.UTC().Truncate(time.Second)})
	return number
}

func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key)
	return key
}

// keysLookBack is how many of the newest records are looked at for keys that the file lacks.
const keysLookBack = 10_000

// checkKeys fails if the newest records name a key that the file lacks: it is older than they are. Nobody would be
// found in them, and the next key would have the number of the lost one.
func (l *Ledger) checkKeys(ctx context.Context) error {
	first, next := l.reader.Bounds()
	if next-first > keysLookBack {
		first = next - keysLookBack
	}
	for entry, err := range l.reader.Scan(ctx, first, next) {
		if err != nil {
			return fmt.Errorf("look for keys: %w", err)
		}
		if entry.Void {
			continue
		}
		var record hubv1.LedgerRecord
		if err := proto.Unmarshal(entry.Payload, &record); err != nil {
			return fmt.Errorf("record %s: %w", l.position(entry.Seq), err)
		}
		if key := keyOf(&record); int(key) > len(l.secrets.Subjects) {
			return fmt.Errorf("the ledger's keys in %s are older than record %s, which is under key %d; put back a newer backup of them",
				l.path.Keys(), l.position(entry.Seq), key)
		}
	}
	return nil
}

// keyOf is the number of the key under which a record's data subjects are hashed.
func keyOf(r *hubv1.LedgerRecord) uint32 {
	return max(r.GetExchange().GetSubjectKey(), r.GetIntent().GetSubjectKey(), r.GetAccess().GetSubjectKey())
}
