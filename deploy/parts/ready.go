package parts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lienthong/lienthong/proto/peer"
)

// Ready says what runs where. It is written to DIR/ready.json when everything answers.
type Ready struct {
	Addresses  map[string]string   `json:"addresses"`   // by face: "grpc", "http", "nats"
	CA         string              `json:"ca"`          // path of the authority's certificate
	Identities map[string]Identity `json:"identities"`  // by "AGENCY/SYSTEM"
	FirstQuery []string            `json:"first_query"` // a command that is answered, as an argv array
	Observer   string              `json:"observer"`    // NATS credentials for `nats micro ls`
	PID        int                 `json:"pid"`
}

// Identity is where a system's certificate and key lie.
type Identity struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// WriteReady writes DIR/ready.json as a whole.
func (d Dir) WriteReady(r *Ready) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	if err := replaceFile(d.ReadyFile(), append(data, '\n')); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	return nil
}

// replaceFile writes a file as a whole: readers find the old one or the new one.
func replaceFile(path string, data []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}

// ReadReady finds the hub that runs from this directory.
func (d Dir) ReadReady() (*Ready, error) {
	data, err := os.ReadFile(d.ReadyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no hub runs from %s; start one with: lienthong up --dir %s, or say where one is with --addr (and as whom you ask, with --ca --cert --key): %w", d, d, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read ready file: %w", err)
	}
	r := new(Ready)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.ReadyFile(), err)
	}
	return r, nil
}

// identities lists the identities below the directory.
func (d Dir) identities() (map[string]Identity, error) {
	found := map[string]Identity{}
	certs, err := filepath.Glob(d.join("identities", "*", "*", "cert.pem"))
	if err != nil {
		return nil, err
	}
	for _, cert := range certs {
		system := filepath.Dir(cert)
		id := peer.ID{Agency: filepath.Base(filepath.Dir(system)), System: filepath.Base(system)}
		found[id.String()] = Identity{Cert: d.Certificate(id), Key: d.Key(id)}
	}
	return found, nil
}
