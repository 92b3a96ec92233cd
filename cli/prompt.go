package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"paddock/keystore"
)

// prompt asks for the passphrase of the file vault on the terminal, without
// echo. Where there is no terminal nobody can be asked.
func (a *app) prompt(ctx context.Context, fresh bool) (keystore.Secret, error) {
	in, ok := a.In.(*os.File)
	if !ok {
		return keystore.Secret{}, keystore.ErrNoPassphrase
	}
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return keystore.Secret{}, keystore.ErrNoPassphrase
	}
	if err := a.tty.remember(fd); err != nil {
		return keystore.Secret{}, fmt.Errorf("asking for the passphrase: %w", err)
	}
	ask := func(what string) (string, error) {
		a.tty.asks(true)
		fmt.Fprint(a.Err, what)
		type answer struct {
			text []byte
			err  error
		}
		got := make(chan answer, 1)
		go func() { // a read from a terminal cannot be cancelled, only left behind
			text, err := readHidden(in)
			got <- answer{text, err}
		}()
		select {
		case r := <-got:
			fmt.Fprintln(a.Err)
			a.tty.asks(false)
			if errors.Is(r.err, io.EOF) { // the terminal is gone, or Ctrl-D
				return "", keystore.ErrNoPassphrase
			}
			return string(r.text), r.err
		case <-ctx.Done():
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
		return keystore.Secret{}, coded{"passphrases-differ", "the two passphrases differ; nothing was made"}
	}
	return keystore.NewSecret(first), nil
}

// tty puts a terminal back into order at the end: a question that was left
// behind, as by Ctrl-C, would leave it without echo.
type tty struct {
	mu     sync.Mutex // guards what follows
	fd     int
	before *term.State
	asking bool
}

func (t *tty) asks(now bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking = now
}

func (t *tty) remember(fd int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		return nil
	}
	before, err := term.GetState(fd)
	t.fd, t.before = fd, before
	return err
}

// restore says whether a question was left open, at the end of its line.
func (t *tty) restore() (open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		_ = term.Restore(t.fd, t.before)
	}
	return t.asking
}
