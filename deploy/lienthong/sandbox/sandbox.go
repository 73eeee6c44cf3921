// Package sandbox is the offers and agreements that a new hub's directory begins with. They are illustrative: the
// agencies, services and laws are real, nobody signed these agreements.
//
// What does not belong here: identities (member/authority) and people (services/nation).
package sandbox

import "embed"

// Files holds catalog/*.yaml and agreements/*.yaml, as they lie in a hub's directory.
//
//go:embed catalog/*.yaml agreements/*.yaml
var Files embed.FS
