package catalog

// Use is what an agreement names of a method: a change of the contract must not break it.
type Use struct {
	Agreement     string
	Method        string   // within the service
	Fields        []string // leaf paths of the answer
	RequestFields []string // paths of the request
}
