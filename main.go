// Command paddock lends this machine's Ollama to the local network safely.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	_ "paddock/internal/fynecache" // must come before Fyne reads its environment

	"paddock/cli"
	"paddock/internal/standin"
	"paddock/keystore"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	program := cli.Program{Open: open}
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
		Version: cli.Version, Home: p.Home, Settings: choices, Keys: keys, Log: requestlog.New(choices.Get().LogKept), Flags: p.Flags,
		Demo: func(ctx context.Context) (string, func(), error) { return standin.Start(ctx, standin.DemoOptions()) },
		OnPanic: func(stack []byte) {
			fmt.Fprintf(p.Stderr, "paddock: a fault inside the gate; the request was answered with 500\n%s\n", stack)
		},
	})
	return sh, func() error { return errors.Join(keys.Close()) }, nil
}
