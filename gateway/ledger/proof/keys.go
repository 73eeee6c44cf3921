package proof

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// Algorithms of verifier keys, see c2sp.org/signed-note.
const (
	algEd25519  = 1
	algCosigned = 4 // cosignature/v1, see c2sp.org/tlog-cosignature
)

var errKey = errors.New("a verifier key is one line NAME+HASH+KEY, such as log.pub has it")

// verifierKey is a verifier key with the parts that tell whether two of them are the same.
type verifierKey struct {
	line   string
	name   string
	alg    byte
	public string // the key's bytes
}

// parseKey reads a verifier key, with or without the end of its line.
func parseKey(text string) (verifierKey, error) {
	line := strings.TrimSpace(text)
	if strings.HasPrefix(line, "PRIVATE+KEY+") {
		return verifierKey{}, errors.New("this is a private key: give the public one, and keep this one secret")
	}
	parts := strings.SplitN(line, "+", 3) // base64 has + too
	if len(parts) != 3 {
		return verifierKey{}, errKey
	}
	data, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(data) != 1+32 {
		return verifierKey{}, errKey
	}
	h := sha256.Sum256([]byte(parts[0] + "\n" + string(data)))
	stated, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil || len(parts[1]) != 8 || uint32(stated) != binary.BigEndian.Uint32(h[:]) {
		return verifierKey{}, fmt.Errorf("the key's hash is not that of the key, so a character of it is wrong: %w", errKey)
	}
	return verifierKey{line: line, name: parts[0], alg: data[0], public: string(data[1:])}, nil
}

// logVerifier reads the key of a log.
func logVerifier(text string) (verifierKey, note.Verifier, error) {
	key, err := parseKey(text)
	if err != nil {
		return key, nil, fmt.Errorf("read the log's key: %w", err)
	}
	if key.alg != algEd25519 {
		return key, nil, errors.New("read the log's key: it is not an Ed25519 key for signing checkpoints; a witness's key is given as such")
	}
	v, err := note.NewVerifier(key.line)
	if err != nil {
		return key, nil, fmt.Errorf("read the log's key: %w", err)
	}
	return key, v, nil
}

// witnessVerifiers reads the keys of witnesses. The same key under two names, or the log's own, is one owner's word
// twice and refused.
func witnessVerifiers(texts []string, log verifierKey) ([]note.Verifier, error) {
	seen := map[string]bool{log.public: true}
	var verifiers []note.Verifier
	for _, text := range texts {
		key, err := parseKey(text)
		if err != nil {
			return nil, fmt.Errorf("read a witness's key: %w", err)
		}
		if key.alg != algEd25519 && key.alg != algCosigned {
			return nil, fmt.Errorf("read the key of witness %s: it is not an Ed25519 key", quote(key.name))
		}
		if seen[key.public] {
			return nil, fmt.Errorf("read the key of witness %s: this key is given twice, or is the log's own", quote(key.name))
		}
		seen[key.public] = true
		v, err := cosign.NewVerifierForCosignatureV1(key.line)
		if err != nil {
			return nil, fmt.Errorf("read the key of witness %s: %w", quote(key.name), err)
		}
		verifiers = append(verifiers, v)
	}
	return verifiers, nil
}

// Fingerprint is the SHA-256 of a verifier key's line without its end, hexadecimal: what people compare. By hand:
// printf %s "$(cat log.pub)" | sha256sum.
func Fingerprint(key string) string {
	h := sha256.Sum256([]byte(strings.TrimSpace(key)))
	return hex.EncodeToString(h[:])
}
