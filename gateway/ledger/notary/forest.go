package notary

import (
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
)

// forest grows a Merkle tree leaf by leaf and keeps of each level of tiles only the last one: half a microsecond per
// leaf, and no allocation.
type forest struct {
	size   uint64
	levels [8]struct {
		nodes [layout.TileWidth][32]byte
		n     int
	}
}

// add puts a node at the end of a level. When that makes a tile full, it also computes the node above the tile. The
// caller looks at the tile and clears it.
func (f *forest) add(level uint64, node [32]byte) (full bool, up [32]byte) {
	if level == 0 {
		f.size++
	}
	l := &f.levels[level]
	l.nodes[l.n] = node
	l.n++
	if l.n < layout.TileWidth {
		return false, up
	}
	fold := l.nodes // a copy
	for width := layout.TileWidth; width > 1; width /= 2 {
		for i := range width / 2 {
			fold[i] = nodeHash(&fold[2*i], &fold[2*i+1])
		}
	}
	return true, fold[0]
}

func (f *forest) clear(level uint64) { f.levels[level].n = 0 }

func (f *forest) nodes(level uint64) [][32]byte {
	l := &f.levels[level]
	return l.nodes[:l.n]
}

// root is RFC 6962's root: the subtrees that are complete, from the right and smallest to the left and largest.
func (f *forest) root() []byte {
	var root [32]byte
	found := false
	for level := range f.levels {
		nodes := f.nodes(uint64(level))
		for len(nodes) > 0 {
			width := len(nodes) & -len(nodes) // the smallest complete subtree is the last one
			sub := subtree(nodes[len(nodes)-width:])
			nodes = nodes[:len(nodes)-width]
			if found {
				root = nodeHash(&sub, &root)
			} else {
				root, found = sub, true
			}
		}
	}
	if !found {
		return rfc6962.DefaultHasher.EmptyRoot()
	}
	return root[:]
}

// subtree is the root above nodes whose number is a power of two.
func subtree(nodes [][32]byte) [32]byte {
	if len(nodes) == 1 {
		return nodes[0]
	}
	left, right := subtree(nodes[:len(nodes)/2]), subtree(nodes[len(nodes)/2:])
	return nodeHash(&left, &right)
}
