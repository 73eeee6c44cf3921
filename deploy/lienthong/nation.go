package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/lienthong/lienthong/services/nation"
)

// nationCommand looks into the synthetic nation.
type nationCommand struct {
	Sample nationSample `cmd:"" help:"Show people for tests: married, child-under-6, with-land, deceased, damaged, …"`
	Kinds  nationKinds  `cmd:"" help:"List the kinds of people that sample knows."`
}

type nationKinds struct{}

// kindEntry is a kind of people in JSON.
type kindEntry struct {
	Kind    string `json:"kind"`
	Meaning string `json:"meaning"`
}

// Run lists the kinds.
func (c *nationKinds) Run(top *cli) error {
	var entries []kindEntry
	var rows [][]string
	for _, k := range nation.Kinds() {
		entries = append(entries, kindEntry{k.Name, k.Meaning})
		rows = append(rows, []string{k.Name, k.Meaning})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"KIND", "WHO"}, rows)
}

type nationSample struct {
	Kind       string `arg:"" help:"Kind of people; see: lienthong nation kinds."`
	Count      int    `short:"n" help:"How many at the most." default:"5"`
	Population int    `help:"Living people of the nation (default: what DIR has, or 100000)."`
	Seed       *int64 `help:"Seed of the nation (default: what DIR has, or 1)."`
}

// sampled is a person of the nation in JSON.
type sampled struct {
	PersonalID string `json:"personal_id"`
	OldID      string `json:"old_id,omitempty"`
	FullName   string `json:"full_name"`
	BirthDate  string `json:"birth_date"`
	Province   string `json:"province"`
	Note       string `json:"note,omitempty"`
}

// Run makes the nation again, which gives the same people, and shows some of them.
func (c *nationSample) Run(ctx context.Context, top *cli) error {
	if c.Count < 1 || c.Count > 10_000 {
		return usage("--count is %d; choose 1 to 10000", c.Count)
	}
	which, err := top.dir().ChooseNation(c.Population, c.Seed)
	if err != nil {
		return usage("%w", err)
	}
	if _, err := top.dir().ReadNation(); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(stderr, "lienthong: no hub has run from %s yet; these are people of the nation that up would make there\n", top.Dir)
	}
	made, err := which.Generate(ctx, nil)
	if err != nil {
		return err
	}
	found, err := made.Sample(c.Kind, c.Count)
	if err != nil {
		return usage("%w", err)
	}
	people := []sampled{}
	var rows [][]string
	for _, s := range found {
		p := sampled{s.Number.String(), s.OldNumber.String(), s.Name, s.Birth.String(), s.Province, s.Note}
		people = append(people, p)
		rows = append(rows, []string{p.PersonalID, p.OldID, p.FullName, p.BirthDate, p.Province, p.Note})
	}
	if len(people) == 0 {
		fmt.Fprintf(stderr, "lienthong: nobody of this kind in a nation of %d people\n", which.Population)
	}
	if top.JSON {
		return printJSON(people)
	}
	return printTable([]string{"PERSONAL ID", "OLD ID", "FULL NAME", "BORN", "PROVINCE", "NOTE"}, rows)
}
