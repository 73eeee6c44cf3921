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
	Dir string `help:"Directory in which the hub keeps everything." default:"run" placeholder:"DIR" env:"LIENTHONG_DIR"`
	Log string `help:"Least important log lines that are shown: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"LIENTHONG_LOG"`

	Up       upCommand       `cmd:"" help:"Run everything in this process: bus, gateway, four registries with a synthetic nation."`
	Gateway  gatewayCommand  `cmd:"" help:"Run the gateway alone, on a NATS bus."`
	Registry registryCommand `cmd:"" help:"Run one registry alone, on a NATS bus or as an ordinary gRPC server."`
	Query    queryCommand    `cmd:"" help:"Ask a registry through the hub."`
	Services servicesCommand `cmd:"" help:"List what can be asked: services, methods, fields."`
	Nation   nationCommand   `cmd:"" help:"Look into the synthetic nation."`
	Identity identityCommand `cmd:"" help:"List, issue, renew and revoke identities of systems."`
}

// dir is the hub's directory.
func (c *cli) dir() parts.Dir { return parts.Dir(c.Dir) }

// logger writes to stderr, so that stdout is the command's answer alone.
func (c *cli) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log)) // one of the enum above
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// errUsage says that the command was called wrongly; it has been said why.
type errUsage struct{ error }

func usage(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }

// errSaid says that a command failed and has told its user already.
var errSaid = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	collectLess()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	var c cli
	exit := -1
	parser := kong.Must(&c,
		kong.Name("lienthong"),
		kong.Description("A national data integration hub: link, share, don't hoard.\n\nStart with: lienthong up"),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	parsed, err := parser.Parse(args)
	if exit >= 0 { // help was asked for and shown
		return exit
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "lienthong: %v; see lienthong --help\n", err)
		return exitUsage
	}
	err = parsed.Run(&c)
	var wrong errUsage
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "lienthong: %v\n", err)
		return exitUsage
	case !errors.Is(err, errSaid):
		fmt.Fprintf(os.Stderr, "lienthong: %v\n", err)
	}
	return exitFailed
}
