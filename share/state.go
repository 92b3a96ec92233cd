package share

import (
	"errors"
	"time"

	"paddock/keystore"
	"paddock/requestlog"
)

// Phase says how far sharing has come.
type Phase string

// The phases of sharing.
const (
	Off      Phase = "off"
	Starting Phase = "starting" // wanted, not tried yet
	Sharing  Phase = "sharing"  // the gate listens
	Waiting  Phase = "waiting"  // wanted, but something is in the way: see State.Problem
	Paused   Phase = "paused"   // the gate listens and answers 503: see State.PausedUntil
	Stopping Phase = "stopping" // closed to new requests, running ones may finish
)

// Problem says what keeps sharing from working, as a fact; the sentences are
// written by the windows and the command line.
type Problem string

// The problems. All of them are looked at again every two seconds, and sharing
// goes on by itself when the cause has gone.
const (
	NoProblem   Problem = ""
	PortInUse   Problem = "port-in-use"     // Detail names the holder where the system tells
	NoSuchAddr  Problem = "no-such-address" // share.listen names an address that this machine does not have now
	NotAllowed  Problem = "not-allowed"     // the system does not let us listen there
	NoNetwork   Problem = "no-network"      // no private address: the gate is up, and nobody can reach it
	ListenFault Problem = "listen-fault"    // anything else: see Detail

	NoInterface   Problem = "no-interface"   // the chosen network interface is not there: Detail names it
	OtherNetwork  Problem = "other-network"  // this is not the network that was chosen: Detail names that
	PublicNetwork Problem = "public-network" // only public addresses, which nobody typed
	NoCertificate Problem = "no-certificate" // encryption is required and there is no certificate: see State.Encryption
)

// Health says what is known of Ollama.
type Health string

// The states of Ollama.
const (
	Unknown  Health = "unknown"  // not asked yet
	Answers  Health = "answers"  //
	Silent   Health = "silent"   // nobody listens there, or nobody answers
	Stranger Health = "stranger" // somebody answers who is not Ollama
)

// Ollama is what the background probe found. It is a value.
type Ollama struct {
	URL     string   `json:"url"`
	Health  Health   `json:"health"`
	Demo    bool     `json:"demo"` // the built-in demo stands in for Ollama
	Version string   `json:"version,omitempty"`
	Models  []string `json:"models,omitempty"` // installed, as Ollama lists them, at most 200
	Loaded  []string `json:"loaded,omitempty"` // in memory now
	// Detail is what went wrong while asking, in the system's words.
	Detail string `json:"detail,omitempty"`
}

// DetailOwnUpstream is the Detail of an Ollama whose address leads back to the gate.
const DetailOwnUpstream = "own-upstream"

// Address is one way to reach the gate.
type Address struct {
	Label string `json:"label"` // "Name", "IP address" or "This machine only"
	URL   string `json:"url"`
}

// Trouble says what is wrong with the vault, as a fact.
type Trouble string

// The troubles of vaults.
const (
	NoTrouble    Trouble = ""
	VaultLocked  Trouble = "locked"
	VaultMissing Trouble = "missing" // no keychain in this session
	VaultSilent  Trouble = "silent"  // it did not answer in time
	VaultUnkept  Trouble = "unkept"  // it said yes and did not do it, as after a dismissed question
	VaultSealed  Trouble = "sealed"  // the file vault has no passphrase, or a wrong one
	VaultFault   Trouble = "fault"   // anything else
	IndexUnsaved Trouble = "unsaved" // keys.json cannot be written
)

// Keys are the keys and where their secrets lie.
type Keys struct {
	// List has the oldest first. The grants say what holds, defaults filled in;
	// keys.json leaves those out.
	List []keystore.Key `json:"list"`
	// Vault is auto until the first use of the keychain decides it.
	Vault      keystore.VaultKind `json:"vault"`
	VaultWords string             `json:"vault_words"` // fits after "in": "the OS keychain"
	Trouble    Trouble            `json:"trouble,omitempty"`
}

// InMemory says whether new keys end with the program, which every screen says.
func (k Keys) InMemory() bool { return k.Vault == keystore.VaultMemory }

// Find returns the key with this id.
func (k Keys) Find(id string) (keystore.Key, bool) {
	for _, x := range k.List {
		if x.ID == id {
			return x, true
		}
	}
	return keystore.Key{}, false
}

func keysState(s keystore.Snapshot) Keys {
	k := Keys{List: s.Keys, Vault: s.Vault, VaultWords: s.VaultWords}
	for i := range k.List { // a copy, as everything in a snapshot
		k.List[i].Grant = k.List[i].Grant.WithDefaults()
	}
	switch {
	case s.FileProblem != nil:
		k.Trouble = IndexUnsaved
	case s.VaultProblem != nil:
		k.Trouble = TroubleOf(s.VaultProblem)
	case s.Fallback != nil:
		k.Trouble = TroubleOf(s.Fallback)
	}
	return k
}

// TroubleOf names what an error of AddKey, CopyKey or RemoveKey says of the vault.
func TroubleOf(err error) Trouble {
	switch {
	case err == nil:
		return NoTrouble
	case errors.Is(err, keystore.ErrLocked):
		return VaultLocked
	case errors.Is(err, keystore.ErrNoVault):
		return VaultMissing
	case errors.Is(err, keystore.ErrTimeout):
		return VaultSilent
	case errors.Is(err, keystore.ErrNotKept):
		return VaultUnkept
	case errors.Is(err, keystore.ErrNoPassphrase), errors.Is(err, keystore.ErrWrongPassphrase):
		return VaultSealed
	}
	return VaultFault
}

// State is one consistent picture of the whole program. It is a value: nothing
// in it changes after it was handed out.
type State struct {
	Version   string    `json:"version"`
	Phase     Phase     `json:"phase"`
	Wanted    bool      `json:"wanted"` // the owner wants to share
	Problem   Problem   `json:"problem,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	Listen    string    `json:"listen"` // as set: ":11435"
	Addresses []Address `json:"addresses"`
	// PlainAddresses are the same without encryption, while the owner allows that.
	PlainAddresses []Address  `json:"plain_addresses,omitempty"`
	Encrypted      bool       `json:"encrypted"` // nothing is let in that is not encrypted
	Encryption     Encryption `json:"encryption"`
	Networks       Networks   `json:"networks"`
	Safety         Safety     `json:"safety"`
	Paused         bool       `json:"paused,omitempty"` // also while the gate cannot listen
	// PausedUntil is when a pause ends, zero while paused for no set time.
	PausedUntil time.Time         `json:"paused_until,omitzero"`
	Panicked    bool              `json:"panicked,omitempty"` // everyone was cut off, and it was not taken back
	Since       time.Time         `json:"since,omitzero"`     // sharing since
	Ollama      Ollama            `json:"ollama"`
	Running     int               `json:"running"`   // requests that Ollama works on
	Waiting     int               `json:"waiting"`   // requests in the queue
	Teammates   int               `json:"teammates"` // keys used in the last quarter of an hour
	Totals      requestlog.Totals `json:"totals"`
	Keys        Keys              `json:"keys"`
	Websites    Websites          `json:"websites"`
	Heals       []Heal            `json:"heals,omitempty"` // models that hung, the last few, the oldest first
	Window      bool              `json:"window"`          // this instance has a window and a clipboard
}

// Address returns the address to hand out first, or "" when there is none.
func (s State) Address() string {
	if len(s.Addresses) == 0 {
		return ""
	}
	return s.Addresses[0].URL
}

// Broken says whether sharing is wanted and does not work.
func (s State) Broken() bool { return s.Phase == Waiting }

// Attention says whether sharing works and something still needs the owner:
// nobody can reach the gate, Ollama does not answer behind it, or people can walk
// around it.
func (s State) Attention() bool {
	return s.Phase == Sharing && (s.Safety.Problems > 0 || s.Problem != NoProblem || s.Ollama.Health == Silent || s.Ollama.Health == Stranger)
}
