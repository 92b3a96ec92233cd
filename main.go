// Command paddock lends this machine's Ollama to the local network safely.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "paddock/internal/fynecache" // must come before Fyne reads its environment

	"paddock/cli"
	"paddock/internal/standin"
	"paddock/keystore"
	"paddock/proxy"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // the last when its terminal closes
	// A second Ctrl-C ends the program at once; but not one of the same moment,
	// since `timeout` and others send two.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	// Asked for, so that a reader who leaves is an error of the write and not the
	// end of the program. (Ignored would pass on to the programs that we start.)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	log.SetOutput(proxy.Hush(os.Stderr))
	program := cli.Program{Open: open, Name: os.Args[0]}
	faces(&program)
	code := cli.Main(ctx, program, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// open makes every part of an instance once and hands it down.
func open(p cli.Parts) (*share.Share, func() error, error) {
	choices, err := settings.Open(p.Home)
	if err != nil {
		return nil, nil, err
	}
	vault, err := keystore.OpenVault(p.Vault, p.Home, p.Prompt)
	if err != nil {
		return nil, nil, err
	}
	keys, err := keystore.Open(p.Home, vault, keystore.Options{})
	if err != nil {
		return nil, nil, err
	}
	sh := share.New(share.Options{
		Version: cli.Version, Home: p.Home, Settings: choices, Keys: keys, Log: requestlog.New(choices.Get().LogKept), Flags: p.Flags, LoginArgs: p.LoginArgs,
		Demo: func(ctx context.Context) (string, func(), error) { return standin.Start(ctx, standin.DemoOptions()) },
		OnPanic: func(stack []byte) {
			fmt.Fprintf(p.Stderr, "paddock: a fault inside the gate; the request was answered with 500\n%s\n", stack)
		},
	})
	return sh, keys.Close, nil
}
