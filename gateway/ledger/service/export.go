package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"time"

	"google.golang.org/grpc"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds on exporting.
const (
	exportPage  = 500       // entries that are found at a time
	exportPiece = 128 << 10 // bytes of the file in one message, about
	maxRest     = 200 * time.Millisecond
)

// exportTitle is the first line of what is signed.
const exportTitle = "lienthong/export/v1"

// Export implements hubv1.LedgerServiceServer.
func (s *Server) Export(request *hubv1.ExportRequest, to grpc.ServerStreamingServer[hubv1.ExportResponse]) error {
	var file *file
	var end uint64
	open := func(st *streaming) (err error) {
		end = s.cfg.Searcher.Indexed() // what comes while it goes on is not in it
		if file, err = newFile(request.GetFormat()); err != nil {
			return err
		}
		return st.read(request.GetFilter(), "format="+file.name)
	}
	return s.stream(to.Context(), methodExport, s.exports, open, func(ctx context.Context, st *streaming) error {
		for from := uint64(0); from < end; {
			began := s.cfg.Now()
			next, err := st.export(ctx, from, end, file, to)
			if err != nil {
				return err
			}
			if from = next; from >= end {
				break
			}
			// Half of the time is for others.
			if err := pause(ctx, min(s.cfg.Now().Sub(began), maxRest)); err != nil {
				return err
			}
		}
		if err := file.send(to); err != nil {
			return err
		}
		return st.sign(ctx, file, to)
	})
}

// export adds a page of entries to the file, and sends what is long enough.
func (st *streaming) export(ctx context.Context, from, end uint64, f *file, to grpc.ServerStreamingServer[hubv1.ExportResponse]) (uint64, error) {
	hits, next, err := st.oldest(ctx, from, exportPage)
	if err != nil {
		return 0, err
	}
	for _, hit := range hits {
		if hit.Seq >= end {
			break
		}
		if err := f.add(st.entry(hit)); err != nil {
			return 0, err
		}
		if f.buffer.Len() < exportPiece {
			continue
		}
		if err := st.unchanged(); err != nil {
			return 0, err
		}
		if err := f.send(to); err != nil {
			return 0, err
		}
		st.access.Entries = uint32(f.entries)
	}
	if next <= from {
		return 0, fmt.Errorf("search went on at position %d after %d", next, from)
	}
	return next, st.unchanged()
}

// unchanged judges the reader once more. A file holds what one right gives: if that has changed, what was found by the
// old one is not sent any more.
func (st *streaming) unchanged() error {
	granted := st.grant
	if err := st.still(); err != nil {
		return err
	}
	if st.grant != granted {
		return reason.LedgerReadNotAllowed
	}
	return nil
}

// sign records that the whole file was given, and then gives what makes it a whole one: a signed note over it.
func (st *streaming) sign(ctx context.Context, f *file, to grpc.ServerStreamingServer[hubv1.ExportResponse]) error {
	note, err := st.server.cfg.Signer.SignNote(f.note(st.server.cfg.Origin))
	if err != nil {
		return fmt.Errorf("sign export: %w", err)
	}
	st.access.Entries = uint32(f.entries)
	if err := st.record(ctx, nil); err != nil {
		return &recorded{err}
	}
	if err := to.Send(&hubv1.ExportResponse{Signature: note, Entries: f.entries}); err != nil {
		return &recorded{err}
	}
	return nil
}

// file is an exported file in the making.
type file struct {
	name    string
	write   func(*bytes.Buffer, *hubv1.LedgerEntry) error
	buffer  bytes.Buffer // what was not sent yet
	sum     hash.Hash
	size    uint64
	entries uint64
}

func newFile(format hubv1.ExportRequest_Format) (*file, error) {
	f := &file{sum: sha256.New()}
	switch format {
	case hubv1.ExportRequest_FORMAT_UNSPECIFIED, hubv1.ExportRequest_FORMAT_JSONL:
		f.name, f.write = "jsonl", writeJSON
	case hubv1.ExportRequest_FORMAT_CSV:
		f.name, f.write = "csv", writeRow
		if err := writeHeader(&f.buffer); err != nil {
			return nil, err
		}
	default:
		return nil, reason.FilterInvalid.At("format")
	}
	return f, nil
}

// add adds an entry.
func (f *file) add(entry *hubv1.LedgerEntry) error {
	if err := f.write(&f.buffer, entry); err != nil {
		return fmt.Errorf("write entry at position %d: %w", entry.GetSeq(), err)
	}
	f.entries++
	return nil
}

// send sends what was not sent yet, in pieces.
func (f *file) send(to grpc.ServerStreamingServer[hubv1.ExportResponse]) error {
	for f.buffer.Len() > 0 {
		piece := f.buffer.Next(2 * exportPiece)
		f.sum.Write(piece)
		f.size += uint64(len(piece))
		if err := to.Send(&hubv1.ExportResponse{Data: bytes.Clone(piece), Entries: f.entries}); err != nil {
			return err
		}
	}
	f.buffer.Reset()
	return nil
}

// note is what is signed of a file that was sent.
func (f *file) note(origin string) string {
	return fmt.Sprintf("%s\n%s\n%s\n%d\n%d\n", exportTitle, origin, base64.StdEncoding.EncodeToString(f.sum.Sum(nil)), f.size, f.entries)
}
