// Package settings keeps the owner's choices, written whole or not at all.
package settings

import (
	"math"

	"paddock/policy"
)

// Settings is one consistent set of the owner's choices. It is a value: reading
// it needs no lock, and a later change does not show in it.
//
// A limit that the owner set to `none` is a number that is never reached, so
// whoever applies the limit needs no special case and cannot forget one.
type Settings struct {
	Listen  string // share.listen: `:PORT` for every private interface, or `HOST:PORT`
	Ollama  string // share.ollama: as the owner wrote it, "" for OLLAMA_HOST or the default; see Upstream
	AtStart bool   // share.at-start: share as soon as the program starts

	AllowHTTP      bool    // share.allow-http: let requests in that are not encrypted
	Network        Network // share.network: on which networks
	Discovery      bool    // share.discovery: tell the network by mDNS that there is a gate
	Certificate    string  // share.certificate: a PEM file of the owner's own, "" for the local authority's
	CertificateKey string  // share.certificate-key: its private key, a PEM file
	KeepAwake      bool    // share.keep-awake: no sleep while a request runs

	Body        int64       // limits.body: largest request body, in bytes
	Running     int         // limits.running-at-once: requests that run at once, of all keys
	Waiting     int         // limits.waiting-per-key: requests of one key that wait for that
	Connections int         // limits.connections: most connections at a time
	PerAddress  int         // limits.connections-per-address: most of them from one address
	Attempts    policy.Rate // limits.failed-attempts: bad keys from one address, or policy.NoRate
	NumCtx      int         // limits.num-ctx: largest context that a user's request may ask for, in tokens

	LogKept int    // log.kept: finished entries held in memory
	Theme   string // ui.theme: ThemeAuto, ThemeLight or ThemeDark

	// Origins are the owner's websites, oldest first, in the spelling of
	// policy.ParseOrigin and each of them once. The list is never changed in
	// place.
	Origins []policy.OriginRule
}

// What a limit of `none` reads as. NoLimit leaves room for an addition, since
// "one more than allowed" is how a limit is noticed.
const (
	NoLimit      int64 = 1 << 62
	NoCountLimit int   = math.MaxInt32
)

// The values of ui.theme.
const (
	ThemeAuto  = "auto" // as the desktop has it
	ThemeLight = "light"
	ThemeDark  = "dark"
)

// The names of the settings, the same in window, file and command line.
const (
	ShareListen       = "share.listen"
	ShareOllama       = "share.ollama"
	ShareAtStart      = "share.at-start"
	ShareAllowHTTP    = "share.allow-http"
	ShareNetwork      = "share.network"
	ShareDiscovery    = "share.discovery"
	ShareCertificate  = "share.certificate"
	ShareCertKey      = "share.certificate-key"
	ShareKeepAwake    = "share.keep-awake"
	LimitsBody        = "limits.body"
	LimitsRunning     = "limits.running-at-once"
	LimitsWaiting     = "limits.waiting-per-key"
	LimitsConnections = "limits.connections"
	LimitsPerAddress  = "limits.connections-per-address"
	LimitsAttempts    = "limits.failed-attempts"
	LimitsNumCtx      = "limits.num-ctx"
	LogKept           = "log.kept"
	UITheme           = "ui.theme"
)

// Defaults returns the settings of an owner who chose nothing.
func Defaults() Settings {
	var s Settings
	for _, c := range choices {
		if err := c.put(&s, c.byDefault); err != nil {
			panic("settings: the default of " + c.name + " is refused: " + err.Error())
		}
	}
	return s
}
