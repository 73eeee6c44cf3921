// Package notekey derives what anybody may have of a signed note's key from what only its owner has.
//
// What does not belong here: where keys lie, and what they sign.
package notekey

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Public is the verifier key of a signer key, both in their one line, see https://c2sp.org/signed-note.
func Public(signer string) (string, error) {
	parts := strings.SplitN(signer, "+", 5) // PRIVATE, KEY, name, hash, key
	if len(parts) != 5 {
		return "", errors.New("not a note key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", errors.New("not an Ed25519 note key")
	}
	public := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(parts[2], public)
}
