package main

import (
	"path/filepath"
	"strings"

	hubledger "github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

// keeping says where a gateway keeps its ledger, and who cosigns it.
type keeping struct {
	Ledger     string   `help:"Directory of the ledger, best on a disk of its own (default: DIR/ledger)." placeholder:"PATH"`
	LedgerHead string   `help:"File that remembers how far the ledger went, best on another disk (default: beside the ledger, PATH.head)." placeholder:"FILE"`
	AcceptHead bool     `name:"accept-missing-head" help:"Start although the head file is missing, this once: compare the ledger with a checkpoint kept elsewhere first (ledger check --since), for nothing else shows now that it is no old copy."`
	Witness    []string `help:"Who cosigns the ledger's checkpoints: URL=VERIFIER-KEY, as lienthong witness prints it. May be given several times." placeholder:"URL=KEY" sep:"none"`
	Required   bool     `name:"witness-required" help:"Publish no checkpoint that the witnesses have not cosigned. Exchanges go on; their proofs wait."`
}

// config is what the flags say. What they do not say is filled in from the hub's directory.
func (k *keeping) config() (hubledger.Config, error) {
	cfg := hubledger.Config{Dir: k.Ledger, Head: k.LedgerHead, Version: version(), AcceptMissingHead: k.AcceptHead}
	if cfg.Dir != "" && cfg.Head == "" {
		cfg.Head = filepath.Clean(cfg.Dir) + ".head"
	}
	if k.Required && len(k.Witness) == 0 {
		return cfg, usage("--witness-required needs a --witness")
	}
	cfg.Witnesses.Required = k.Required
	for _, text := range k.Witness {
		url, key, ok := strings.Cut(text, "=")
		if !ok || url == "" || key == "" {
			return cfg, usage("--witness %q is not URL=VERIFIER-KEY", text)
		}
		cfg.Witnesses.List = append(cfg.Witnesses.List, notary.Witness{URL: url, Key: key})
	}
	return cfg, nil
}
