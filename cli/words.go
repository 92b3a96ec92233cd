package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"paddock/internal/atomicfile"
	"paddock/internal/control"
	"paddock/keystore"
	"paddock/settings"
	"paddock/share"
)

// sentence says an error to a person: what is wrong and what to do next.
func sentence(err error) string {
	var (
		damaged *atomicfile.DamagedError
		newer   *atomicfile.NewerError
		name    *keystore.NameError
		value   *settings.ValueError
		unknown *settings.UnknownError
		remote  *control.RemoteError
		said    coded
		unsaved *keystore.UnsavedError
		path    *fs.PathError
	)
	switch {
	case errors.As(err, &remote):
		return remote.Message
	case errors.As(err, &said):
		return said.text
	case errors.As(err, &unsaved):
		return fmt.Sprintf("it holds from now on, but could not be saved and would be forgotten when the program ends: %v", unsaved.Err)
	case errors.Is(err, errUnprinted):
		return err.Error()
	case errors.As(err, &damaged):
		return fmt.Sprintf("%s is damaged and was left as it is: %v; repair it, or move it away to start afresh", damaged.Path, damaged.Err)
	case errors.As(err, &newer):
		return fmt.Sprintf("%s was written by a newer Paddock and was left as it is; use that version", newer.Path)
	case errors.As(err, &name):
		switch name.Fault {
		case keystore.NameEmpty:
			return "a key needs a name"
		case keystore.NameTooLong:
			return fmt.Sprintf("the name is too long: at most %d characters", keystore.MaxName)
		case keystore.NameUnprintable:
		}
		return "the name holds a character that cannot be shown"
	case errors.As(err, &value):
		return fmt.Sprintf("%s cannot be %q: %s", value.Name, value.Value, value.Reason)
	case errors.As(err, &unknown):
		return unknown.Error()
	case errors.Is(err, control.ErrGone):
		return "the Paddock that runs went away before it had answered; look with `paddock status` what became of it"
	case errors.Is(err, control.ErrNotRunning):
		return "Paddock does not run"
	case errors.Is(err, control.ErrRunning):
		return "another Paddock already runs on this home, and does not answer; end it first"
	case errors.Is(err, keystore.ErrNoKey):
		return fmt.Sprintf("%v; `paddock keys list` shows them", err)
	case errors.Is(err, keystore.ErrNameTaken):
		return "there is already a key of this name; remove it first or choose another name"
	case errors.Is(err, keystore.ErrLocked):
		return "the keychain is locked; unlock it and try again, or use --vault file"
	case errors.Is(err, keystore.ErrNoVault):
		return "this session has no keychain; use --vault file, which seals the keys with a passphrase"
	case errors.Is(err, keystore.ErrTimeout):
		return "the keychain did not answer in time; perhaps it asks for a password in another window"
	case errors.Is(err, keystore.ErrNotKept):
		return "the keychain did not store the key; perhaps its question was dismissed"
	case errors.Is(err, keystore.ErrWrongPassphrase):
		return "the passphrase is wrong; nothing was changed"
	case errors.Is(err, keystore.ErrNoPassphrase) && errors.As(err, &path):
		return fmt.Sprintf("the passphrase file %s cannot be read: %v", path.Path, path.Err)
	case errors.Is(err, keystore.ErrNoPassphrase) && os.Getenv(keystore.PassphraseFileEnv) != "":
		return fmt.Sprintf("the passphrase file %s is empty", os.Getenv(keystore.PassphraseFileEnv))
	case errors.Is(err, keystore.ErrNoPassphrase):
		return "the file vault needs a passphrase: name its file in PADDOCK_PASSPHRASE_FILE, or run this in a terminal"
	case errors.Is(err, keystore.ErrAltered):
		return "the keychain holds something else than this key; remove the key and make a new one"
	case errors.Is(err, keystore.ErrTooBig):
		return "the keychain takes no item of this size"
	case errors.Is(err, keystore.ErrClosed):
		return "the Paddock that runs is about to end; try again"
	case errors.Is(err, keystore.ErrNotFound):
		return "the key is in the index but not in the keychain any more; remove it and make a new one"
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Sprintf("the disk is full: %v", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("the files cannot be written: %v", err)
	}
	return err.Error()
}

// problem says why sharing waits.
func problem(st share.State) string {
	switch st.Problem {
	case share.NoProblem:
		return ""
	case share.PortInUse:
		who := "another program"
		if st.Detail != "" {
			who = st.Detail
		}
		return fmt.Sprintf("%s is in use by %s; waiting for it (another port: --listen, or the setting share.listen)", st.Listen, who)
	case share.NoSuchAddr:
		return fmt.Sprintf("this machine has no address %s now; waiting for it", st.Detail)
	case share.NotAllowed:
		return fmt.Sprintf("the system does not allow listening on %s; choose a port above 1023 with --listen or the setting share.listen", st.Listen)
	case share.NoNetwork:
		return "this machine is on no private network; sharing starts to work when it joins one"
	case share.ListenFault:
		return st.Detail
	case share.NoInterface:
		return fmt.Sprintf("the network interface %s is not there; waiting for it (or choose: `paddock settings set share.network private`)", st.Detail)
	case share.OtherNetwork:
		if st.Detail == "" {
			return "this machine is on no network that it could remember; waiting for one"
		}
		return fmt.Sprintf("this is not the network %s that you chose; waiting for it (to share here: `paddock settings set share.network here`)", st.Detail)
	case share.PublicNetwork:
		return "this machine has only public addresses here, and the internet is not who you share with; waiting for a private network (or name an address with --listen)"
	case share.NoCertificate:
		return "there is no certificate to encrypt with: " + certFault(st.Encryption)
	}
	return string(st.Problem)
}

// ollama says how Ollama is.
func ollama(o share.Ollama) string {
	switch {
	case o.Demo && o.Health == share.Silent:
		return "the built-in demo does not work: " + o.Detail
	case o.Demo:
		return "Built-in demo instead of Ollama: answers come from Paddock, not from a model"
	case o.Detail == share.DetailOwnUpstream:
		return fmt.Sprintf("share.ollama or OLLAMA_HOST (%s) leads back to Paddock itself; set share.ollama to where Ollama is", o.URL)
	}
	if o.URL == "" && o.Health == share.Silent {
		return "nobody knows where Ollama is: " + o.Detail
	}
	switch o.Health {
	case share.Answers:
		return fmt.Sprintf("Ollama %s answers at %s", o.Version, o.URL)
	case share.Silent:
		return fmt.Sprintf("Ollama does not answer at %s (%s); start it, or try `paddock share --demo`", o.URL, o.Detail)
	case share.Stranger:
		return fmt.Sprintf("what answers at %s is not Ollama", o.URL)
	case share.Unknown:
	}
	return fmt.Sprintf("asking Ollama at %s", o.URL)
}

// trouble says what is wrong with the place of the keys; empty when nothing is.
func trouble(k share.Keys) string {
	switch k.Trouble {
	case share.NoTrouble:
		return ""
	case share.VaultLocked:
		return "the keychain is locked"
	case share.VaultMissing:
		return "this session has no keychain"
	case share.VaultSilent:
		return "the keychain does not answer"
	case share.VaultUnkept:
		return "the keychain did not store the last key; perhaps its question was dismissed"
	case share.VaultSealed:
		return "the file vault has no passphrase, or a wrong one"
	case share.IndexUnsaved:
		return "keys.json cannot be written, so the last changes are in memory only"
	case share.VaultFault:
	}
	return "the keychain does not work"
}

// healed says what became of a model that hung.
func healed(h share.Heal, now time.Time) string {
	when := ago(h.At, now)
	if when == "now" {
		when = "Just now"
	}
	if h.Fault != "" {
		return fmt.Sprintf("%s Ollama hung with %s, and Paddock could not unload it (%s).", when, h.Model, h.Fault)
	}
	return fmt.Sprintf("%s Ollama hung with %s; Paddock unloaded it, and the next request loads it again.", when, h.Model)
}

// hints makes the commands in a sentence work on the home in use. Sentences
// name them for the usual one, also those of the instance that runs.
func (a *app) hints(s string) string {
	if a.prefix == "" { // a command that needs no home
		return s
	}
	return strings.ReplaceAll(s, "`paddock ", "`"+a.prefix+" ")
}

const unencrypted = "Plain HTTP is allowed: anybody on this network who listens in can read the keys and prompts that come by it."
