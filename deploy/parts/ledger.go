package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/service"
	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	"github.com/lienthong/lienthong/gateway/watch"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Ledger is where the ledger lies.
func (d Dir) Ledger() ledger.Path { return ledger.Path(d.join("ledger")) }

// LedgerHead remembers how far the ledger went. It lies outside of the ledger's directory, so that who puts an old
// copy of that back is found out.
func (d Dir) LedgerHead() string { return d.join("ledger.head") }

// LedgerEpoch numbers the ledger of this directory: a hub that was restored from a backup begins a new one, for nobody
// knows what the old one recorded after the backup.
func (d Dir) LedgerEpoch() string { return d.join("ledger.epoch") }

// LedgerOrigin names the ledger of this directory's gateway.
func (d Dir) LedgerOrigin() (string, error) {
	data, err := os.ReadFile(d.LedgerEpoch())
	if errors.Is(err, fs.ErrNotExist) {
		return GatewayID.String(), nil
	}
	if err != nil {
		return "", fmt.Errorf("read the ledger's epoch: %w", err)
	}
	epoch, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 63)
	if err != nil || epoch < 2 {
		return "", fmt.Errorf("%s does not hold a number from 2", d.LedgerEpoch())
	}
	return GatewayID.String() + "." + strconv.FormatUint(epoch, 10), nil
}

// ledgerOf says where the ledger of a further gateway lies: each gateway has its own.
func (d Dir) ledgerOf(id peer.ID, cfg *ledger.Config) {
	if cfg.Dir == "" {
		cfg.Dir = d.join("ledger-" + id.System)
		if cfg.Head == "" {
			cfg.Head = cfg.Dir + ".head"
		}
	}
	cfg.Origin = id.String()
}

// formerLedgers are ledgers that a restored hub has put aside, by their directories.
func (d Dir) formerLedgers() []string {
	journals, err := filepath.Glob(d.join("ledger.*", "journal"))
	if err != nil {
		return nil // the pattern is right
	}
	for i, path := range journals {
		journals[i] = filepath.Base(filepath.Dir(path))
	}
	return journals
}

// openLedger opens the ledger of the directory.
func (g *Gateway) openLedger(ctx context.Context) (err error) {
	cfg := g.cfg.Ledger
	cfg.Log = g.cfg.Log
	if g.cfg.ID != GatewayID {
		g.cfg.Dir.ledgerOf(g.cfg.ID, &cfg)
	}
	if cfg.Dir == "" {
		cfg.Dir = string(g.cfg.Dir.Ledger())
	}
	if cfg.Head == "" {
		cfg.Head = g.cfg.Dir.LedgerHead()
	}
	if cfg.Origin == "" {
		if cfg.Origin, err = g.cfg.Dir.LedgerOrigin(); err != nil {
			return err
		}
	}
	if cfg.Origin != g.cfg.ID.String() {
		cfg.Beginning = &hubv1.Change{
			Kind: hubv1.Change_KIND_RESTORED, Object: cfg.Origin, Agency: GatewayID.Agency, System: GatewayID.System,
			Text: "the hub was restored from a backup: this ledger follows one that lies beside it, whose last records may be missing",
		}
	}
	g.ledger, err = ledger.Open(ctx, cfg)
	return err
}

// runLedger lets what follows the journal follow it until stop is called. stop waits.
func (g *Gateway) runLedger(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- g.ledger.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

// closeLedger is the last thing that a gateway does.
func (g *Gateway) closeLedger() {
	if g.ledger == nil {
		return
	}
	if err := g.ledger.Close(); err != nil {
		g.cfg.Log.Error("ledger not closed", "error", err)
	}
}

// logPath is where the transparency log is read.
const logPath = "/log/"

// ledgerRoutes lets anybody follow the transparency log: it holds salted hashes only.
func (g *Gateway) ledgerRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+logPath, http.StripPrefix(strings.TrimSuffix(logPath, "/"), g.ledger.LogHandler()))
}

// ledgerService answers those who may read the ledger.
func (g *Gateway) ledgerService() (*service.Server, error) {
	tokens, err := token.New(g.ledger.Origin(), g.ledger.TokenKey(), nil)
	if err != nil {
		return nil, err
	}
	return service.New(service.Config{
		Origin: g.ledger.Origin(), Former: g.cfg.Dir.formerLedgers(), Members: g.Members, Searcher: g.ledger.Index(), Prover: g.ledger, Recorder: g.ledger,
		Hasher: g.ledger, Rotator: g.ledger, Statuser: told{g.ledger}, Tokens: tokens, Signer: g.ledger, Log: g.cfg.Log,
	}), nil
}

// told is a ledger's status as it is told to those who may read it.
type told struct{ *ledger.Ledger }

// Status says in which state the ledger is.
func (t told) Status(ctx context.Context) (*hubv1.GetStatusResponse, error) { return t.Told(ctx) }

// ledgerGauges shows how the ledger does.
func ledgerGauges(m *watch.Metrics, l *ledger.Ledger) {
	gauge := func(name, help string, read func(ledger.Status) float64) {
		m.Gauge(name, help, func() float64 { return read(l.Status()) })
	}
	gauge("lienthong_ledger_unavailable", "1 while the ledger takes no records, so that nothing is answered: an alarm.", func(s ledger.Status) float64 {
		if s.Fault != nil {
			return 1
		}
		return 0
	})
	gauge("lienthong_ledger_failures", "Times since the start that the ledger took no records for a while: it rises also for what no scrape sees.", func(s ledger.Status) float64 {
		return float64(s.Failures)
	})
	gauge("lienthong_ledger_head_age_seconds", "Since the journal's head file was last right: an alarm beyond some seconds.", func(s ledger.Status) float64 {
		return s.HeadAge.Seconds()
	})
	gauge("lienthong_ledger_records", "Records on disk.", func(s ledger.Status) float64 { return float64(s.Records) })
	gauge("lienthong_ledger_unproven", "Records that no published checkpoint covers yet.", func(s ledger.Status) float64 { return float64(s.Records - s.Proven) })
	gauge("lienthong_ledger_unindexed", "Records that searches do not find yet.", func(s ledger.Status) float64 { return float64(s.Records - s.Indexed) })
	gauge("lienthong_ledger_follower_failing", "1 while the transparency log, a witness or the index does not follow: answers go on, proofs or searches may wait.", func(s ledger.Status) float64 {
		if s.Following != nil {
			return 1
		}
		return 0
	})
	gauge("lienthong_ledger_open_intents", "Intents without outcome.", func(s ledger.Status) float64 { return float64(s.OpenIntents) })
	gauge("lienthong_ledger_missed", "Exchanges that were told that they cannot be recorded, until a record says so.", func(s ledger.Status) float64 { return float64(s.Missed) })
}

// headTooOld is how old the journal's head file, which is written each second, may be.
const headTooOld = 10 * time.Second

// ledgerReasons says what is wrong with the ledger; nothing when all is well.
func (g *Gateway) ledgerReasons() (reasons []string) {
	s := g.ledger.Status()
	if s.Fault != nil {
		reasons = append(reasons, "the ledger cannot record, so nothing is answered: "+s.Fault.Error())
	}
	if s.HeadAge > headTooOld {
		reasons = append(reasons, "the ledger's head file cannot be written: that newer records were taken away would not be noticed")
	}
	return reasons
}
