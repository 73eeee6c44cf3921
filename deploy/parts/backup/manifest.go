package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Format names the form of the files that this package writes: a tar of the directory's files below files/, between a
// first entry that says so and a last entry with the manifest, all of it compressed with zstd.
const Format = "lienthong-backup/v1"

// Names in the tar.
const (
	labelName    = "lienthong-backup" // the first entry: Format
	filesPrefix  = "files/"
	manifestName = "manifest.json" // the last entry
)

// Manifest says what is in a backup.
type Manifest struct {
	Format     string    `json:"format"`
	Made       time.Time `json:"made"`
	Version    string    `json:"version"`    // of the program that made it
	Registries bool      `json:"registries"` // whether the registries' databases are in it
	Running    bool      `json:"running"`    // whether a hub wrote to the directory meanwhile
	Files      []File    `json:"files"`      // in the order of the tar
}

// File is one file of a backup.
type File struct {
	Path   string `json:"path"` // below the directory, with slashes
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Bytes is the size of all files together.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// parseManifest reads a manifest strictly: what this program does not know may matter.
func parseManifest(data []byte) (*Manifest, error) {
	m := new(Manifest)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read manifest: something follows its end")
	}
	if m.Format != Format {
		return nil, fmt.Errorf("the backup is of the form %q; this program reads %s", m.Format, Format)
	}
	return m, nil
}
