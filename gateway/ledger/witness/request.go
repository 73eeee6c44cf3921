package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxBody is the size of the largest request that is read, in bytes. A proof has 63 lines of 45 bytes at most, and a
// checkpoint some signatures.
const maxBody = 64 << 10

// maxProof is the greatest number of lines in a consistency proof.
const maxProof = 63

// request is what a log asks: cosign the checkpoint, which contains the tree of the old size.
type request struct {
	old        uint64
	proof      [][]byte
	checkpoint []byte
	origin     string
}

// parseRequest reads the body of an add-checkpoint request.
func parseRequest(body []byte) (request, error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return request{}, errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	if len(lines) > 1+maxProof {
		return request{}, fmt.Errorf("the proof has more than %d lines", maxProof)
	}
	size, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return request{}, errors.New("the first line is not the old size")
	}
	old, err := strconv.ParseUint(size, 10, 64)
	if err != nil || strconv.FormatUint(old, 10) != size {
		return request{}, errors.New("the old size is no decimal number")
	}
	r := request{old: old, checkpoint: checkpoint}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != 32 {
			return request{}, errors.New("a line of the proof is no hash")
		}
		r.proof = append(r.proof, hash)
	}
	origin, _, ok := bytes.Cut(checkpoint, []byte("\n"))
	if !ok || len(origin) == 0 {
		return request{}, errors.New("the checkpoint has no origin")
	}
	r.origin = string(origin)
	return r, nil
}
