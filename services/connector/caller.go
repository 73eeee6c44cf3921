package connector

import "context"

// Caller is on whose authority a registry is asked. The hub vouches for it.
type Caller struct {
	Agency    string // the consumer. Example: "H27"
	System    string // its system. Example: "one-stop"
	Officer   string // the agency's account name of the officer, may be empty
	Case      string // the dossier, may be empty
	Purpose   string // the coded purpose
	Agreement string // what allows it
}

type callerKey struct{}

// CallerFrom tells on whose authority the registry is asked; false if the call did not come through the hub.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
