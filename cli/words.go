package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

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
	)
	switch {
	case errors.As(err, &remote):
		return remote.Message
	case errors.As(err, &said):
		return said.text
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
	case errors.Is(err, keystore.ErrNoPassphrase):
		return "the file vault needs a passphrase: name its file in PADDOCK_PASSPHRASE_FILE, or run this in a terminal"
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
		return fmt.Sprintf("%s is in use by %s; waiting for it, or choose another with --listen", st.Listen, who)
	case share.NoSuchAddr:
		return fmt.Sprintf("this machine has no address %s now; waiting for it", st.Detail)
	case share.NotAllowed:
		return fmt.Sprintf("the system does not allow listening on %s; choose a port above 1023 with --listen", st.Listen)
	case share.NoNetwork:
		return "this machine is on no private network; sharing starts to work when it joins one"
	case share.ListenFault:
		return st.Detail
	}
	return string(st.Problem)
}

// ollama says how Ollama is.
func ollama(o share.Ollama) string {
	switch {
	case o.Demo:
		return "Built-in demo instead of Ollama: answers come from Paddock, not from a model"
	case o.Detail == share.DetailOwnUpstream:
		return fmt.Sprintf("share.ollama or OLLAMA_HOST (%s) leads back to Paddock itself; set share.ollama to where Ollama is", o.URL)
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

const unencrypted = "Not encrypted: anybody on this network who listens in can read keys and prompts."
