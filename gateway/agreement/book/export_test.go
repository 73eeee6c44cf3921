package book

import "github.com/lienthong/lienthong/gateway/agreement"

// Versions are what the Set of the reader was made of.
func (r *Reader) Versions() []agreement.Version { return r.versions() }
