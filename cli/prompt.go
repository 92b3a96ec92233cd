package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"paddock/keystore"
)

// prompt asks for the passphrase of the file vault on the terminal, without
// echo. Where there is no terminal nobody can be asked.
func (a *app) prompt(ctx context.Context, fresh bool) (keystore.Secret, error) {
	in, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return keystore.Secret{}, keystore.ErrNoPassphrase
	}
	ask := func(what string) (string, error) {
		fmt.Fprint(a.Err, what)
		type answer struct {
			text []byte
			err  error
		}
		got := make(chan answer, 1)
		go func() { // a read from a terminal cannot be cancelled, only left behind
			text, err := term.ReadPassword(int(in.Fd()))
			got <- answer{text, err}
		}()
		select {
		case r := <-got:
			fmt.Fprintln(a.Err)
			return string(r.text), r.err
		case <-ctx.Done():
			fmt.Fprintln(a.Err)
			return "", ctx.Err()
		}
	}
	if !fresh {
		text, err := ask("Passphrase of the key vault: ")
		return keystore.NewSecret(text), err
	}
	first, err := ask("New passphrase for the key vault: ")
	if err != nil {
		return keystore.Secret{}, err
	}
	again, err := ask("The same once more: ")
	if err != nil {
		return keystore.Secret{}, err
	}
	if first != again {
		return keystore.Secret{}, errors.New("the two passphrases differ; nothing was made")
	}
	return keystore.NewSecret(first), nil
}
