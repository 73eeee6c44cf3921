package notary

import (
	"crypto/sha256"
)

// leafFiles names the two files that a leaf is in.
type leafFiles struct{ bundle, tile string }

// compare compares one leaf's three appearances, of which those in the files may be nil if they cannot be read. Two
// of them against one say which is wrong.
func (w leafFiles) compare(seq uint64, digest [32]byte, entry, hash []byte) *Fault {
	inBundle := entry == nil || isEntry(entry, digest)
	inTile := hash == nil || leafHash(digest[:]) == [32]byte(hash)
	f := &Fault{File: w.bundle, Leaf: int64(seq)}
	switch {
	case inBundle && inTile:
		return nil
	case inBundle:
		f.File, f.What = w.tile, "its hash is not that of the leaf"
	case inTile && hash != nil:
		f.What = "is not the leaf that was added"
	case agree(entry, hash):
		f.What = "is another one than the journal's record: the journal was changed, or the log rewritten"
	default:
		f.What = "is not the digest of the journal's record, and the tile's hash is of neither"
	}
	return f
}

// agree tells whether a bundle's entry and the tile's hash speak of the same leaf.
func agree(entry, hash []byte) bool {
	return entry != nil && hash != nil && isEntry(entry, [32]byte(entry[2:])) && leafHash(entry[2:]) == [32]byte(hash)
}

// isEntry tells whether an entry of a bundle, which is its length and its data, holds the digest.
func isEntry(entry []byte, digest [32]byte) bool {
	return entry[0] == 0 && entry[1] == hashSize && [32]byte(entry[2:]) == digest
}

// leafHash is RFC 6962's hash of a leaf, without an allocation.
func leafHash(data []byte) [32]byte {
	var b [1 + hashSize]byte
	copy(b[1:], data)
	return sha256.Sum256(b[:])
}

// nodeHash is RFC 6962's hash of two children, without an allocation.
func nodeHash(left, right *[32]byte) [32]byte {
	var b [1 + 2*hashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+hashSize:], right[:])
	return sha256.Sum256(b[:])
}
