package main

import (
	"context"
	"errors"
	"strconv"
	"time"
)

type catalogList struct {
	State string `help:"Only those in this state: test, assessed, official or suspended." placeholder:"STATE"`
}

// Help is shown below the command's usage.
func (catalogList) Help() string {
	return `SAFETY is the safety level of the system and ASSESSED the day of its security assessment (R18, R19). STOP is the next one
that begins within 30 days. With --json, all providers and stops.`
}

// Run lists.
func (c *catalogList) Run(ctx context.Context, top *cli) (err error) {
	if _, err := catalogStateOf(c.State); c.State != "" && err != nil {
		return err
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all, err := readCatalog(ctx, db)
	if err != nil {
		return err
	}
	now, entries, rows := time.Now(), []catalogEntry{}, [][]string(nil)
	for _, s := range all.Services() {
		if c.State != "" && string(s.State) != c.State {
			continue
		}
		e := entryOfService(s, now)
		entries = append(entries, e)
		rows = append(rows, []string{
			e.Service, e.Owner, string(e.State), e.level(), e.Assessed, e.providers(), strconv.Itoa(e.MethodCount), e.stop(now), e.TitleVI,
		})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"SERVICE", "OWNER", "STATE", "SAFETY", "ASSESSED", "PROVIDERS", "METHODS", "STOP", "TITLE"}, rows)
}
