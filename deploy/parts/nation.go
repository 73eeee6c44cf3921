package parts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/services/nation"
)

// Nation says which synthetic nation fills the registries.
type Nation struct {
	Population int   `json:"population"` // living people
	Seed       int64 `json:"seed"`       // the same seed makes the same nation
}

// Generate makes the nation.
func (n Nation) Generate(ctx context.Context, progress func(done, total int)) (*nation.Nation, error) {
	return nation.Generate(ctx, nation.Config{
		Population: n.Population, Seed: n.Seed, Errors: nation.DefaultErrors(), Progress: progress,
	})
}

// The nation of a fresh directory, unless something else is asked for.
const (
	defaultPopulation = 100_000
	defaultSeed       = 1
)

// ChooseNation says which nation the directory has or shall have. A population of 0 and a nil seed leave it open.
// It fails if another nation is asked for than the directory has.
func (d Dir) ChooseNation(population int, seed *int64) (Nation, error) {
	have, err := d.ReadNation()
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return Nation{}, err
	}
	want := have
	if fresh {
		want = Nation{Population: defaultPopulation, Seed: defaultSeed}
	}
	if population > 0 {
		want.Population = population
	}
	if seed != nil {
		want.Seed = *seed
	}
	if !fresh && want != have {
		return Nation{}, fmt.Errorf("%s holds a nation of %d people from seed %d already; leave --population and --seed out, use another --dir, or remove it", d, have.Population, have.Seed)
	}
	return want, nil
}

// keptNation is what DIR/nation.json says.
type keptNation struct {
	Nation
	FirstPerson string `json:"first_person,omitempty"` // personal number of somebody to ask about first
}

// ReadNation reads which nation the directory has.
func (d Dir) ReadNation() (Nation, error) {
	kept, err := d.readNation()
	return kept.Nation, err
}

func (d Dir) readNation() (keptNation, error) {
	var kept keptNation
	raw, err := os.ReadFile(d.NationFile())
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return kept, fmt.Errorf("read nation: %w", err)
	}
	return kept, nil
}

// keepNation remembers which nation the directory has, before a registry is filled from it. It fails if another
// process was first with another nation.
func (d Dir) keepNation(ctx context.Context, n Nation) error {
	unlock, err := d.await(ctx, "nation.lock", nil)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := d.ChooseNation(n.Population, &n.Seed); err != nil {
		return err
	}
	if _, err := d.readNation(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.writeNation(keptNation{Nation: n})
}

func (d Dir) writeNation(kept keptNation) error {
	raw, err := json.Marshal(kept)
	if err == nil {
		err = replaceFile(d.NationFile(), append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep nation: %w", err)
	}
	return nil
}

// firstPerson is somebody of the nation to ask about first.
func (d Dir) firstPerson(ctx context.Context) (string, error) {
	kept, err := d.readNation()
	if err != nil || kept.FirstPerson != "" {
		return kept.FirstPerson, err
	}
	made, err := kept.Generate(ctx, nil)
	if err != nil {
		return "", err
	}
	return d.keepFirst(made)
}

// keepFirst picks that person, the same one each time, and remembers who it is.
func (d Dir) keepFirst(made *nation.Nation) (string, error) {
	kept, err := d.readNation()
	if err != nil {
		return "", err
	}
	found, err := made.Sample("married", 1)
	if err != nil {
		return "", fmt.Errorf("pick a person: %w", err)
	}
	if len(found) > 0 {
		kept.FirstPerson = found[0].Number.String()
	} else { // a tiny nation
		kept.FirstPerson = made.People[0].Number.String()
	}
	return kept.FirstPerson, d.writeNation(kept)
}

// filler fills registries from one nation, which is made only if some registry is empty, and given back to the
// system as soon as the last one is filled.
type filler struct {
	dir    Dir
	nation Nation
	log    *slog.Logger
	once   sync.Once
	made   *nation.Nation
	err    error
}

// fill fills the registries that are empty, two at a time and in their order, and calls ready for each as it is.
func (f *filler) fill(ctx context.Context, registries []*OpenRegistry, ready func(*OpenRegistry)) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(2)
	for _, r := range registries {
		tasks.Go(func() error {
			if err := f.fillOne(ctx, r); err != nil {
				return err
			}
			ready(r)
			return nil
		})
	}
	err := tasks.Wait()
	if f.made != nil {
		f.made = nil
		debug.FreeOSMemory()
	}
	return err
}

func (f *filler) fillOne(ctx context.Context, r *OpenRegistry) error {
	defer r.unlock()
	filled, err := r.Filled(ctx)
	if err != nil || filled {
		return err
	}
	f.once.Do(func() { f.made, f.err = f.generate(ctx) })
	if f.err != nil {
		return f.err
	}
	began := time.Now()
	if err := r.Fill(ctx, f.made); err != nil {
		return fmt.Errorf("fill registry %s: %w", r.Name, err)
	}
	f.log.Info("registry filled", "registry", r.Name, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

func (f *filler) generate(ctx context.Context) (*nation.Nation, error) {
	began := time.Now()
	said := began
	made, err := f.nation.Generate(ctx, func(done, total int) {
		if time.Since(said) > time.Second {
			said = time.Now()
			f.log.Info("making the nation", "people", done, "of", total)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("make the nation: %w", err)
	}
	f.log.Info("nation made", "people", len(made.People), "took", time.Since(began).Round(time.Millisecond))
	f.log.Info("filling the registries; the next start finds them filled")
	_, err = f.dir.keepFirst(made)
	return made, err
}
