package guard

import "context"

// Step does what Run does all the time: it tells the others, and writes what is to be written.
func (g *Guard) Step(ctx context.Context) error {
	if err := g.share(); err != nil {
		return err
	}
	if err := g.settle(ctx); err != nil {
		return err
	}
	if err := g.flush(ctx); err != nil {
		return err
	}
	return g.Reload(ctx)
}

// Forget sweeps all of it.
func (g *Guard) Forget() {
	for i := range g.shards {
		g.sweep(i)
	}
}

// Known says how many pairs, officers and people are remembered.
func (g *Guard) Known() (pairs, officers, people int) {
	for i := range g.shards {
		for _, p := range g.shards[i].pairs {
			pairs, officers, people = pairs+1, officers+len(p.officers), people+len(p.seen)
		}
	}
	return pairs, officers, people
}
