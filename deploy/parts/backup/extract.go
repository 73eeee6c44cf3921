package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

const (
	maxManifest = 1 << 30   // bytes
	maxWindow   = 128 << 20 // memory that a compressed file may ask for
)

// errNotWhole says that a backup lacks its end.
var errNotWhole = errors.New("the backup is not whole: it ends before its manifest")

// extract writes the files of a backup to an empty directory, and compares them with the manifest.
func extract(ctx context.Context, r io.Reader, dir string, progress func(int64)) (*Manifest, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	defer z.Close()
	x := &extractor{dir: dir, tar: tar.NewReader(z), progress: progress, dirs: map[string]bool{}}
	if err := x.label(); err != nil {
		return nil, err
	}
	manifest, err := x.files(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(manifest.Files, x.found) {
		return nil, errors.New("the files of the backup are not those of its manifest: it was changed or damaged")
	}
	if _, err := x.tar.Next(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the backup has something behind its manifest: it was changed or damaged")
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // the checksum of the compressed file
		return nil, fmt.Errorf("read backup: %w", err)
	}
	return manifest, x.sync()
}

// extractor writes the files of one backup.
type extractor struct {
	dir      string
	tar      *tar.Reader
	progress func(int64)
	done     int64
	found    []File
	dirs     map[string]bool
}

// label refuses what is no backup before anything is written.
func (x *extractor) label() error {
	h, err := x.tar.Next()
	if err != nil || h.Name != labelName || h.Size > 100 {
		return errors.New("this is no backup of a hub")
	}
	data, err := io.ReadAll(x.tar)
	if err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	if got := strings.TrimSpace(string(data)); got != Format {
		return fmt.Errorf("the backup is of the form %q; this program reads %s", got, Format)
	}
	return nil
}

// files writes files until the manifest comes.
func (x *extractor) files(ctx context.Context) (*Manifest, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := x.tar.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errNotWhole
		case err != nil:
			return nil, fmt.Errorf("read backup: %w", err)
		case h.Name == manifestName:
			data, err := io.ReadAll(io.LimitReader(x.tar, maxManifest))
			if err != nil {
				return nil, fmt.Errorf("read manifest: %w", err)
			}
			return parseManifest(data)
		}
		if err := x.file(ctx, h); err != nil {
			return nil, err
		}
	}
}

// file writes one file. Names that lead out of the directory, and all but regular files, are refused.
func (x *extractor) file(ctx context.Context, h *tar.Header) error {
	name, ok := strings.CutPrefix(h.Name, filesPrefix)
	if !ok || !filepath.IsLocal(filepath.FromSlash(name)) || h.Typeflag != tar.TypeReg {
		return fmt.Errorf("the backup holds %q, which no backup of a hub does", h.Name)
	}
	path := filepath.Join(x.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), &stopping{ctx, x})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errNotWhole
		}
		return fmt.Errorf("restore %s: %w", name, err)
	}
	x.dirs[filepath.Dir(path)] = true
	x.found = append(x.found, File{Path: name, Size: n, SHA256: hex.EncodeToString(hash.Sum(nil))})
	return nil
}

// stopping reads the file at hand until ctx ends, and says how far it has come.
type stopping struct {
	ctx context.Context
	x   *extractor
}

// Read fails once ctx has ended.
func (s *stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.x.tar.Read(p)
	s.x.done += int64(n)
	if s.x.progress != nil {
		s.x.progress(s.x.done)
	}
	return n, err
}

// sync makes the names of files durable, up to the directory itself.
func (x *extractor) sync() error {
	all := map[string]bool{x.dir: true}
	for dir := range x.dirs {
		for ; dir != x.dir && !all[dir]; dir = filepath.Dir(dir) {
			all[dir] = true
		}
	}
	for dir := range all {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}
