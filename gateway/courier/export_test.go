package courier

// Rotate makes a new sealing key now.
func (c *Courier) Rotate() error { return c.rotate() }
