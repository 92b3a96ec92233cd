// Package policy decides whether one request may pass the gate.
//
// It holds pure values: it reads no clock, file, network or keychain, so every
// decision can be tested as a table.
package policy

import (
	"fmt"
	"time"
)

// Role says which endpoint classes a key may call.
type Role int

// The roles. RoleUser is the zero value so that a forgotten field grants less.
const (
	RoleUser    Role = iota // use and look
	RoleManager             // use, look and manage
)

// Roles lists every role in the order people should see them.
func Roles() []Role { return []Role{RoleUser, RoleManager} }

// String returns the word used in files and on the command line.
func (r Role) String() string {
	switch r {
	case RoleUser:
		return "user"
	case RoleManager:
		return "manager"
	}
	return fmt.Sprintf("role(%d)", int(r))
}

// ParseRole reads the word that String writes.
func ParseRole(s string) (Role, error) {
	for _, r := range Roles() {
		if s == r.String() {
			return r, nil
		}
	}
	return RoleUser, fmt.Errorf("role %q is neither user nor manager", s)
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(b []byte) error {
	v, err := ParseRole(string(b))
	if err == nil {
		*r = v
	}
	return err
}

// Grant says what one key may do. The zero value is a user without an end. It
// is a plain value: copies are independent and can be compared.
type Grant struct {
	Role      Role   `json:"role"`
	Models    Models `json:"models,omitzero"`      // the zero value is every model
	Cloud     bool   `json:"cloud,omitempty"`      // models that spend the owner's ollama.com account
	InAddress bool   `json:"in_address,omitempty"` // the key may stand in the address: /k/KEY/…
	// Expires is the first moment at which the key no longer works, in wall
	// time; zero means never.
	Expires      time.Time `json:"expires,omitzero"`
	Rate         Rate      `json:"rate,omitzero"`           // requests; zero is DefaultRate
	Concurrent   Cap       `json:"concurrent,omitzero"`     // requests that run at once; 0 is DefaultConcurrent
	TokensPerDay Cap       `json:"tokens_per_day,omitzero"` // prompts and answers together; 0 is no limit
}

// WithDefaults fills in what a grant leaves open.
func (g Grant) WithDefaults() Grant {
	if !g.Rate.Limited() && g.Rate != NoRate {
		g.Rate = DefaultRate // half a rate, a count without a time, is no way to lose the limit
	}
	if g.Concurrent == 0 {
		g.Concurrent = DefaultConcurrent
	}
	if g.TokensPerDay == 0 {
		g.TokensPerDay = NoCap
	}
	return g
}

// ended says whether the key no longer works. The monotonic clock is taken off,
// because it stands still while a laptop sleeps.
func (g Grant) ended(now time.Time) bool {
	return !g.Expires.IsZero() && !now.Round(0).Before(g.Expires)
}

// Caller is the holder of a credential as the keys know it at one moment.
// The zero value is nobody.
type Caller struct {
	ID        string // stable for the life of the key; never shown to the caller
	Name      string
	Hint      string // the first characters of the key, such as "pdk_7Qm"
	Colour    int    // index of the colour chip, counted from 0
	Grant     Grant
	Known     bool // a key with this secret exists
	Suspended bool
}

// Head is what the gate knows of a request before it reads a body.
type Head struct {
	HostOurs   bool
	Credential Credential
	InAddress  bool // the credential stood in the address
	Private    bool // nobody on the way can read along: TLS, or this machine itself
	Caller     Caller
	Origin     string // value of the Origin header, empty for programs
	OriginOK   bool   // the owner allows it
	Endpoint   Endpoint
	Route      Route
	Now        time.Time
}

// Credential says what kind of credential a request carried.
type Credential int

// The kinds of credential.
const (
	CredentialNone Credential = iota
	CredentialOne
	CredentialTwo       // two different ones: nobody can say who calls
	CredentialMalformed // present, but not a key: wrong shape or checksum
)

// Decide judges a request by its head. The checks run in the order of
// security.md and each can only refuse. Whoever has no good key learns nothing
// about endpoints, origins or models.
func Decide(h Head) Verdict {
	if !h.HostOurs {
		return Verdict{Reason: WrongHost}
	}
	switch h.Credential {
	case CredentialNone:
		return Verdict{Reason: NoKey}
	case CredentialTwo:
		return Verdict{Reason: TwoKeys}
	case CredentialMalformed:
		return Verdict{Reason: MalformedKey}
	case CredentialOne:
	default: // a kind that a later version forgot to judge
		return Verdict{Reason: MalformedKey}
	}
	switch {
	case !h.Caller.Known:
		return Verdict{Reason: WrongKey}
	case h.Caller.Suspended:
		return Verdict{Reason: SuspendedKey}
	case h.Caller.Grant.ended(h.Now):
		return Verdict{Reason: ExpiredKey}
	case h.InAddress && !h.Caller.Grant.InAddress:
		return Verdict{Reason: KeyInAddress}
	case h.InAddress && !h.Private:
		return Verdict{Reason: AddressInClear}
	}
	if h.Origin != "" && !h.OriginOK {
		return Verdict{Reason: OriginNotAllowed}
	}
	switch h.Route {
	case RouteUnclear:
		return Verdict{Reason: UnclearPath}
	case RouteUnknown:
		return Verdict{Reason: UnknownEndpoint}
	case RouteMethod:
		return Verdict{Reason: WrongMethod}
	case RouteFound:
	default:
		return Verdict{Reason: UnknownEndpoint}
	}
	switch h.Endpoint.Class {
	case ClassUse, ClassLook:
		return Verdict{Reason: Allowed}
	case ClassManage:
		if h.Caller.Grant.Role == RoleManager {
			return Verdict{Reason: Allowed}
		}
		return Verdict{Reason: ManagersOnly}
	case ClassAccount:
		return Verdict{Reason: OwnerOnly}
	case ClassNone:
	}
	return Verdict{Reason: UnknownEndpoint}
}

// DecideModel judges the model that a request names, once its body is read.
// remote says that the name stands for a model on another machine, whatever it
// looks like.
func DecideModel(g Grant, name string, remote bool) Verdict {
	m, ok := ParseModel(name)
	switch {
	case (remote || IsCloud(name)) && !g.Cloud:
		return Verdict{Reason: CloudNotGranted}
	case !ok:
		return Verdict{Reason: BadModel}
	case !g.Models.Match(m):
		return Verdict{Reason: ModelNotGranted}
	}
	return Verdict{Reason: Allowed}
}

// DecideSource judges what another model is made of: a model, or a file when it
// is not a name. Without it a manager without the cloud grant could copy
// "x:cloud" to "x", and everybody would spend the owner's account by that name.
func DecideSource(g Grant, source string, remote bool) Verdict {
	m, isName := ParseModel(source)
	switch {
	case (remote || IsCloud(source)) && !g.Cloud:
		return Verdict{Reason: CloudNotGranted}
	case source != "" && !g.Models.All() && (!isName || !g.Models.Match(m)):
		return Verdict{Reason: ModelNotGranted}
	}
	return Verdict{Reason: Allowed}
}
