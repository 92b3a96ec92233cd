package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"

	"filippo.io/age"

	"paddock/internal/atomicfile"
)

const (
	vaultVersion = 1
	// sealWork makes one guess at the passphrase cost 128 MiB and about half a
	// second: what OWASP recommends for scrypt, and half of age's default,
	// which is too much for the small servers that this vault is for.
	sealWork = 17
	// maxSealWork keeps a forged file from asking for gigabytes.
	maxSealWork = 20
)

// FileVault keeps secrets in one file that is sealed with a passphrase (age,
// scrypt), for servers without a keychain. Nothing is on disk in the clear at
// any time. The passphrase is asked for once, at the first use that needs it;
// from then on the secrets and the passphrase stay in memory, and each change
// seals and replaces the whole file.
//
// Calls take turns. Each sealing costs about half a second, which a deadline
// does not interrupt.
type FileVault struct {
	path   string
	prompt Prompt
	work   int

	turn chan struct{} // a token: its holder may use what is below
	pass Secret        // zero until the vault was opened
	held map[string]string
}

// sealed is what lies in the file once it is open.
type sealed struct {
	Secrets map[string]string `json:"secrets"`
}

var _ Vault = (*FileVault)(nil)

// NewFileVault makes the vault in the file at path, which need not exist.
func NewFileVault(path string, prompt Prompt) *FileVault {
	return &FileVault{path: path, prompt: prompt, work: sealWork, turn: make(chan struct{}, 1)}
}

// PassphraseFile is a Prompt that reads the passphrase from the first line of
// a file.
func PassphraseFile(path string) Prompt {
	return func(context.Context, bool) (Secret, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return Secret{}, fmt.Errorf("%w: reading the passphrase file: %w", ErrNoPassphrase, err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			return Secret{}, fmt.Errorf("%w: the passphrase file %s is empty", ErrNoPassphrase, path)
		}
		return NewSecret(line), nil
	}
}

// Set implements Vault.
func (f *FileVault) Set(ctx context.Context, id string, secret Secret) error {
	if len(secret.Reveal()) > MaxSecret {
		return ErrTooBig
	}
	return f.do(ctx, "storing", id, func() error {
		if err := f.open(ctx, true); err != nil {
			return err
		}
		return f.change(func(held map[string]string) { held[id] = secret.Reveal() })
	})
}

// Get implements Vault.
func (f *FileVault) Get(ctx context.Context, id string) (Secret, error) {
	var got string
	err := f.do(ctx, "reading", id, func() error {
		if err := f.open(ctx, false); err != nil {
			return err
		}
		var ok bool
		if got, ok = f.held[id]; !ok {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(got), nil
}

// Delete implements Vault.
func (f *FileVault) Delete(ctx context.Context, id string) error {
	return f.do(ctx, "deleting", id, func() error {
		if err := f.open(ctx, false); err != nil {
			return err
		}
		if _, ok := f.held[id]; !ok {
			return ErrNotFound
		}
		return f.change(func(held map[string]string) { delete(held, id) })
	})
}

// Kind implements Vault.
func (*FileVault) Kind() VaultKind { return VaultFile }

// Describe implements Vault.
func (*FileVault) Describe() string { return "the sealed file " + VaultFileName }

func (f *FileVault) do(ctx context.Context, doing, id string, step func() error) error {
	if err := checkID(id); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return wrapVault(timedOut(ctx), doing, id)
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return wrapVault(timedOut(ctx), doing, id)
	}
	return wrapVault(step(), doing, id)
}

// open makes held and pass ready. Without a file, a reader gets ErrNotFound
// and a writer (fresh) is asked for the passphrase of a new one.
func (f *FileVault) open(ctx context.Context, fresh bool) error {
	if !f.pass.IsZero() {
		return nil
	}
	data, err := os.ReadFile(f.path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && !fresh:
		return ErrNotFound
	case err != nil && !missing:
		return err
	}
	pass, err := f.ask(ctx, missing)
	if err != nil {
		return err
	}
	held := map[string]string{}
	if !missing {
		if held, err = unseal(f.path, data, pass); err != nil {
			return err
		}
	}
	f.held, f.pass = held, pass
	return nil
}

// ask gets the passphrase, and does not wait longer than the context for a
// prompt that does not look at it.
func (f *FileVault) ask(ctx context.Context, fresh bool) (Secret, error) {
	if f.prompt == nil {
		return Secret{}, ErrNoPassphrase
	}
	type reply struct {
		pass Secret
		err  error
	}
	c := make(chan reply, 1)
	go func() {
		pass, err := f.prompt(ctx, fresh)
		c <- reply{pass, err}
	}()
	select {
	case r := <-c:
		if r.err != nil && ctx.Err() != nil {
			return Secret{}, timedOut(ctx)
		}
		if r.err == nil && r.pass.IsZero() {
			r.err = ErrNoPassphrase
		}
		return r.pass, r.err
	case <-ctx.Done():
		return Secret{}, timedOut(ctx)
	}
}

// change replaces the file first and the secrets in memory after it, so that
// they differ at no time.
func (f *FileVault) change(edit func(map[string]string)) error {
	next := make(map[string]string, len(f.held)+1)
	maps.Copy(next, f.held)
	edit(next)
	data, err := seal(next, f.pass, f.work)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(f.path, data, atomicfile.FilePerm); err != nil {
		return err
	}
	f.held = next
	return nil
}

func seal(held map[string]string, pass Secret, work int) ([]byte, error) {
	text, err := atomicfile.Encode(vaultVersion, sealed{held})
	if err != nil {
		return nil, err
	}
	return sealText(text, pass, work)
}

func sealText(text []byte, pass Secret, work int) ([]byte, error) {
	r, err := age.NewScryptRecipient(pass.Reveal())
	if err != nil {
		return nil, err
	}
	r.SetWorkFactor(work)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unseal(path string, data []byte, pass Secret) (map[string]string, error) {
	id, err := age.NewScryptIdentity(pass.Reveal())
	if err != nil {
		return nil, err
	}
	id.SetMaxWorkFactor(maxSealWork)
	r, err := age.Decrypt(bytes.NewReader(data), id)
	if errors.Is(err, age.ErrIncorrectIdentity) && bytes.Contains(data[:min(len(data), 64)], []byte("-> scrypt ")) {
		return nil, fmt.Errorf("%w for %s", ErrWrongPassphrase, path)
	}
	if err != nil {
		return nil, &DamagedError{Path: path, Err: err}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, &DamagedError{Path: path, Err: err}
	}
	var s sealed
	if err := atomicfile.Decode(path, plain, vaultVersion, &s); err != nil {
		return nil, err
	}
	if s.Secrets == nil {
		s.Secrets = map[string]string{}
	}
	return s.Secrets, nil
}
