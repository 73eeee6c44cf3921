//go:build !faults

package fault

// At marks a point at which a build with the tag `faults` may end the process. Here it does nothing.
func At(string) {}

// Planted reports whether a defect was asked for by name. Here it is always false.
func Planted(string) bool { return false }
