package proof

// Encode writes a document without asking whether it holds.
func Encode(d *Document) ([]byte, error) { return encode(d) }

// Decode reads a document without asking whether it holds.
func Decode(text []byte) (*Document, error) { return decode(text) }
