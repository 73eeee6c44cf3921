// Command lienthong is the whole of the hub in one binary: everything at once for a laptop, or each part as a
// process of its own, and the commands of those who use it.
//
// What does not belong here: anything but parsing, wiring and running.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/lienthong/lienthong/deploy/parts"
)

// Exit codes of all commands.
const (
	exitOK     = 0
	exitFailed = 1 // refused, or something broke
	exitUsage  = 2 // the command was called wrongly
)

// cli is the command line.
type cli struct {
	Dir     string           `help:"Directory in which the hub keeps everything (default: ${default})." default:"run" placeholder:"DIR" env:"LIENTHONG_DIR"`
	Log     string           `help:"Least important log lines that are shown: debug, info, warn or error (default: ${default})." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" env:"LIENTHONG_LOG"`
	JSON    bool             `name:"json" help:"Answers on stdout, and errors and log lines on stderr, in JSON."`
	Version kong.VersionFlag `help:"Show which build this is."`

	Up        upCommand        `cmd:"" help:"Run everything in this process: bus, gateway, four registries with a synthetic nation."`
	Gateway   gatewayCommand   `cmd:"" help:"Run the gateway alone, on a NATS bus."`
	Registry  registryCommand  `cmd:"" help:"Run one registry alone, on a NATS bus or as an ordinary gRPC server."`
	Query     queryCommand     `cmd:"" help:"Ask a registry through the hub."`
	Services  servicesCommand  `cmd:"" help:"List what can be asked: services, methods, fields."`
	Nation    nationCommand    `cmd:"" help:"Look into the synthetic nation."`
	Agency    agencyCommand    `cmd:"" help:"Add, change, close and list agencies."`
	Identity  identityCommand  `cmd:"" help:"Issue, approve, renew and revoke identities of systems; believe other authorities."`
	Officer   officerCommand   `cmd:"" help:"Enrol, disable and list the officers for whom an agency's systems may ask."`
	Agreement agreementCommand `cmd:"" help:"Propose, approve, suspend and end agreements: who may ask what, for which purpose, which fields."`
	Consumer  consumerCommand  `cmd:"" help:"Stop a consumer at one provider at once, for a violation."`
	Catalog   catalogCommand   `cmd:"" help:"Publish services, move them from test to official, announce stops; which registry owns which data."`
	Guard     guardCommand     `cmd:"" help:"See and release who was stopped for guessing numbers; keep decoys."`
	Ledger    ledgerCommand    `cmd:"" help:"Search the record of all exchanges, and prove any of them to a stranger."`
	Witness   witnessCommand   `cmd:"" help:"Cosign the checkpoints of other owners' ledgers, so that nobody shows two histories."`
	Backup    backupCommand    `cmd:"" help:"Copy the whole of the hub's directory to one file, while it runs."`
	Restore   restoreCommand   `cmd:"" help:"Make a hub's directory of a backup."`
}

const description = `A national data integration hub: link, share, don't hoard.

Start with: lienthong up. It runs until Ctrl-C and prints a first query to try from another terminal.

Exit codes of all commands: 0 done or answered, 1 refused or failed (the reason is on stderr), 2 called wrongly.`

// dir is the hub's directory.
func (c *cli) dir() parts.Dir { return parts.Dir(c.Dir) }

// logger writes to stderr, so that stdout is the command's answer alone.
func (c *cli) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log)) // one of the enum above
	opts := &slog.HandlerOptions{Level: level}
	if c.JSON {
		return slog.New(slog.NewJSONHandler(stderr, opts))
	}
	return slog.New(slog.NewTextHandler(stderr, opts))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	collectLess()
	os.Exit(run(ctx, os.Args[1:]))
}

// helpShown is what kong's exit is turned into, so that nothing but main ends the process.
type helpShown int

func run(ctx context.Context, args []string) (code int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case helpShown:
			code = int(p)
		default:
			panic(p) // a defect: it must be seen
		}
	}()
	var c cli
	parser := kong.Must(&c,
		kong.Name("lienthong"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { panic(helpShown(code)) }),
		kong.Vars{"version": version(), "as": "H27/one-stop"},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	if len(args) == 0 {
		fmt.Fprintln(stderr, "lienthong: say what to do")
		args, parser.Stdout = []string{"--help"}, stderr
		parser.Exit = func(int) { panic(helpShown(exitUsage)) }
	}
	parsed, err := parser.Parse(fieldsTogether(args))
	if err == nil {
		err = parsed.Run(&c)
	} else {
		err = misread(err)
		c.JSON = c.JSON || slices.Contains(args, "--json")
	}
	return complain(err, c.JSON)
}

// misread is an error of the command line, with the page that helps.
func misread(err error) error {
	page := "lienthong"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			page += " " + strings.TrimPrefix(node.Path(), "lienthong ")
		}
	}
	if strings.HasPrefix(err.Error(), "unexpected argument") {
		switch {
		case page == "lienthong ledger":
			err = errNoCommand
		case strings.HasPrefix(page, "lienthong ledger "), strings.HasPrefix(page, "lienthong guard decoy"):
			err = errStray
		}
	}
	return usage("%w; see: %s --help", err, page)
}

// version is the build's module version and commit, as far as it knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "lienthong, version unknown"
	}
	words := []string{"lienthong", info.Main.Version, info.GoVersion}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			words = append(words, s.Key+"="+s.Value)
		}
	}
	return strings.Join(words, " ")
}
