package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// maxSmall is the largest file that is held in memory, in bytes.
const maxSmall = 1 << 20

// writer writes one backup.
type writer struct {
	cfg      Config
	manifest Manifest

	zstd  *zstd.Encoder
	tar   *tar.Writer
	done  int64 // bytes read
	total int64 // bytes to read, about
}

// source is where a file lies that has this name in the backup.
func (b *writer) source(name string) string {
	rest, ledger := strings.CutPrefix(name, ledgerDir)
	switch {
	case ledger && b.cfg.Ledger != "" && (rest == "" || os.IsPathSeparator(rest[0])):
		return filepath.Join(b.cfg.Ledger, rest)
	case name == headFile && b.cfg.Head != "", name == pointFile && b.cfg.Head != "":
		return b.cfg.Head + strings.TrimPrefix(name, headFile)
	}
	return filepath.Join(b.cfg.Dir, name)
}

// open writes the label.
func (b *writer) open(w io.Writer) (err error) {
	if b.zstd, err = zstd.NewWriter(w); err != nil {
		return err
	}
	b.tar = tar.NewWriter(b.zstd)
	return b.entry(labelName, []byte(Format+"\n"))
}

// close writes the manifest, if all went well, and what is left in buffers.
func (b *writer) close(whole bool) error {
	if !whole {
		return b.zstd.Close()
	}
	data, err := json.MarshalIndent(&b.manifest, "", " ")
	if err == nil {
		err = b.entry(manifestName, data)
	}
	if err == nil {
		err = b.tar.Close()
	}
	return errors.Join(err, b.zstd.Close())
}

// entry writes an entry of the backup itself.
func (b *writer) entry(name string, data []byte) error {
	if err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if _, err := b.tar.Write(data); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// add writes one file of the directory, by its path below it, from r, which has at least size bytes.
func (b *writer) add(ctx context.Context, name string, r io.Reader, size int64, modified time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	header := &tar.Header{Name: path.Join(filesPrefix, name), Mode: 0o600, Size: size, ModTime: modified, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(b.tar, hash), io.LimitReader(&counting{ctx: ctx, b: b, r: r}, size))
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	if n < size {
		return fmt.Errorf("copy %s: it became shorter, %d bytes instead of %d; try again", name, n, size)
	}
	b.manifest.Files = append(b.manifest.Files, File{Path: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))})
	return nil
}

// counting says how far reading has come, and stops it when ctx ends.
type counting struct {
	ctx context.Context
	b   *writer
	r   io.Reader
}

// Read fails once ctx has ended.
func (c *counting) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.b.done += int64(n)
	c.b.cfg.Progress(c.b.done, max(c.b.total, c.b.done))
	return n, err
}

// addFile writes a file as it is now. What is written to it meanwhile is not in the copy. A file that is gone is passed
// over: it was replaced, or taken away.
func (b *writer) addFile(ctx context.Context, name string) error {
	f, err := os.Open(b.source(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return b.addOpen(ctx, name, f)
}

// addOpen writes an open file, as long as it is now.
func (b *writer) addOpen(ctx context.Context, name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return b.add(ctx, name, f, info.Size(), info.ModTime())
}

// addBytes writes a file that was read before.
func (b *writer) addBytes(ctx context.Context, name string, data []byte) error {
	return b.add(ctx, name, bytes.NewReader(data), int64(len(data)), b.manifest.Made)
}

// smallFile writes a file that is read at once, and returns it; nil if there is none.
func (b *writer) smallFile(ctx context.Context, name string) ([]byte, error) {
	data, err := readSmall(b.source(name))
	if err != nil || data == nil {
		return nil, err
	}
	return data, b.addBytes(ctx, name, data)
}

// readSmall reads a small file at once; nil if there is none.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSmall {
		return nil, fmt.Errorf("%s is over %d bytes; it is not what a hub writes there", path, maxSmall)
	}
	return data, nil
}
