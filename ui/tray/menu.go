// Package tray is the icon in the panel with its menu.
package tray

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"paddock/assets"
	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
)

// Action says what an entry of the menu asks for.
type Action string

// The actions.
const (
	None        Action = ""
	Start       Action = "start"
	Stop        Action = "stop"
	Pause       Action = "pause" // Arg is a duration: "15m", or "0" for until resumed
	Resume      Action = "resume"
	CopyAddress Action = "copy-address"
	CopyKey     Action = "copy-key" // Arg is the key's name
	NewKey      Action = "new-key"
	UseOllama   Action = "use-ollama" // end the demo
	OpenLog     Action = "open-log"
	Allow       Action = "allow"    // Arg is an origin, or the name of a preset
	Block       Action = "block"    // as Allow
	Websites    Action = "websites" // open their screen
	Safety      Action = "safety"   // open its screen
	Open        Action = "open"
	Panic       Action = "panic" // at once, since one click takes it back
	UndoPanic   Action = "undo-panic"
	Quit        Action = "quit"
)

// Item is one entry of the menu. A value without a Label is a separator.
type Item struct {
	Label    string
	Action   Action
	Arg      string
	Disabled bool
	Choice   bool // has a tick, or could have one
	Ticked   bool
	Sub      []Item
}

// maxKeys is how many keys the submenu shows: a menu that is taller than the
// screen hides its end. The window has them all.
const maxKeys = 15

// maxOrigins is how many websites the submenu shows, for the same reason.
const maxOrigins = 12

// pauses are the breaks to choose from.
var pauses = []Item{
	{Label: "15 minutes", Action: Pause, Arg: "15m"},
	{Label: "1 hour", Action: Pause, Arg: "1h"},
	{Label: "until I resume", Action: Pause, Arg: "0"},
}

// Menu is what the tray shows for a state, from top to bottom.
func Menu(st share.State) []Item {
	items := []Item{{Label: Status(st), Disabled: true}}
	if st.Wanted {
		items = append(items, Item{Label: "Stop sharing", Action: Stop})
	} else {
		items = append(items, Item{Label: "Start sharing", Action: Start})
	}
	switch st.Phase {
	case share.Sharing:
		items = append(items, Item{Label: pauseFor, Sub: slices.Clone(pauses)})
	case share.Paused:
		items = append(items, Item{Label: "Resume", Action: Resume})
	case share.Off, share.Starting, share.Waiting, share.Stopping:
	}
	if st.Ollama.Demo {
		items = append(items, Item{Label: "End the demo, use Ollama again", Action: UseOllama})
	}
	items = append(items, Item{})
	if address := st.Address(); address != "" && (st.Phase == share.Sharing || st.Phase == share.Paused) {
		plain := ""
		if !strings.HasPrefix(address, "https:") {
			plain = "   (not encrypted)"
		}
		if st.Window {
			items = append(items, Item{Label: "Copy address   " + address + plain, Action: CopyAddress, Arg: address})
		} else { // nothing there has a clipboard
			items = append(items, Item{Label: address + plain, Disabled: true}, Item{})
		}
	}
	if keys := copyable(st.Keys); len(keys) > 0 && st.Window {
		items = append(items, Item{Label: "Copy key for", Sub: keys})
	}
	if st.Window {
		items = append(items,
			Item{Label: "New key…", Action: NewKey},
			Item{},
			websites(st.Websites),
			Item{Label: "Request log…", Action: OpenLog})
	}
	items = append(items, safety(st)...)
	if st.Window {
		items = append(items, Item{}, Item{Label: "Open Paddock", Action: Open})
	}
	if st.Panicked {
		items = append(items, Item{Label: "Undo panic", Action: UndoPanic})
	} else {
		items = append(items, Item{Label: "Panic: stop and cut everyone off", Action: Panic})
	}
	return append(items, Item{Label: "Quit Paddock", Action: Quit})
}

// pauseFor heads the breaks, and begins their lines where a tray has no submenus.
const pauseFor = "Pause for"

// safety is a row while people can walk around the gate.
func safety(st share.State) []Item {
	n := st.Safety.Problems
	switch {
	case n == 0:
		return nil
	case st.Window:
		return []Item{{Label: "Safety check: " + count(n, "problem", "problems") + "…", Action: Safety}}
	}
	return []Item{{Label: "Safety check: " + count(n, "problem", "problems") + ", see paddock check", Disabled: true}, {}}
}

// copyable lists the keys, the last used first.
func copyable(k share.Keys) []Item {
	keys := slices.Clone(k.List)
	slices.SortStableFunc(keys, func(a, b keystore.Key) int { return cmp.Compare(b.LastUsed.UnixNano(), a.LastUsed.UnixNano()) })
	var items []Item
	for _, x := range keys[:min(len(keys), maxKeys)] {
		label := x.Name
		if x.Suspended {
			label += "   (suspended)"
		}
		items = append(items, Item{Label: label, Action: CopyKey, Arg: x.Name})
	}
	if len(keys) > maxKeys {
		items = append(items, Item{Label: fmt.Sprintf("All %d keys…", len(keys)), Action: Open})
	}
	return items
}

// websites lists what the owner switches: the presets that are on and the lines
// of the list. The screen has the other presets, and what was refused.
func websites(w share.Websites) Item {
	var items []Item
	add := func(label, origin string, on bool) {
		i := Item{Label: label, Action: Allow, Arg: origin, Choice: true, Ticked: on}
		if on {
			i.Action = Block
		}
		items = append(items, i)
	}
	for _, p := range w.Presets {
		if p.Allowed {
			title := p.Name
			if known, ok := policy.FindPreset(p.Name); ok {
				title = known.Title
			}
			add(title, p.Name, true)
		}
	}
	for _, r := range w.List {
		add(requestlog.Clean(r.Origin, maxOriginText), r.Origin, r.Allowed)
	}
	if len(items) == 0 {
		return Item{Label: "Allowed websites…", Action: Websites}
	}
	items = append(items[:min(len(items), maxOrigins)], Item{}, Item{Label: "All websites…", Action: Websites})
	return Item{Label: "Allowed websites", Sub: items}
}

// maxOriginText keeps a menu narrower than a screen.
const maxOriginText = 60

// Status is the first row of the menu and the tooltip of the icon.
func Status(st share.State) string { return status(st, time.Now()) }

func status(st share.State, now time.Time) string {
	demo := ""
	if st.Ollama.Demo {
		demo = " the demo"
	}
	switch st.Phase {
	case share.Off:
		if st.Panicked {
			return "○ Panic: everyone is cut off"
		}
		return "○ Not sharing"
	case share.Starting:
		return "○ Starting…"
	case share.Stopping:
		return "○ Stopping…"
	case share.Waiting:
		return "✕ Not sharing: " + waiting(st)
	case share.Paused:
		text := "Ⅱ Paused " + Until(st.PausedUntil, now)
		if st.Running > 0 {
			text += fmt.Sprintf(" · %d running", st.Running)
		}
		return text
	case share.Sharing:
	}
	switch st.Problem {
	case share.NoProblem:
	case share.NoNetwork, share.NoSuchAddr, share.NoInterface, share.OtherNetwork, share.PublicNetwork:
		return "● Sharing" + demo + ", but on no network"
	case share.PortInUse, share.NotAllowed, share.ListenFault, share.NoCertificate:
		return "● Sharing" + demo + ", but not yet at the new address"
	}
	switch {
	case st.Safety.Problems > 0:
		return "● Sharing" + demo + ", but with " + count(st.Safety.Problems, "safety problem", "safety problems")
	case st.Ollama.Demo && st.Attention():
		return "● Sharing, but the demo does not work"
	case st.Ollama.Health == share.Silent:
		return "● Sharing, but Ollama does not answer"
	case st.Ollama.Health == share.Stranger:
		return "● Sharing, but what answers is not Ollama"
	}
	text := fmt.Sprintf("● Sharing%s · %s · %d running", demo, count(st.Teammates, "teammate", "teammates"), st.Running)
	if st.Waiting > 0 {
		text += fmt.Sprintf(" · %d waiting", st.Waiting)
	}
	return text
}

// Until says when a pause ends, for the middle of a sentence. One that ends on
// another day names it.
func Until(end, now time.Time) string {
	end, now = end.Local(), now.Local()
	switch {
	case end.IsZero():
		return "until you resume"
	case end.YearDay() == now.YearDay() && end.Year() == now.Year():
		return "until " + end.Format("15:04")
	case end.Sub(now) < 6*24*time.Hour:
		return "until " + end.Format("Mon 15:04")
	}
	return "until " + end.Format("2 Jan 15:04")
}

func waiting(st share.State) string {
	switch st.Problem {
	case share.PortInUse:
		return "the port is in use"
	case share.NoSuchAddr:
		return "waiting for the network"
	case share.NotAllowed:
		return "the port is not allowed"
	case share.NoInterface:
		return "the network interface is gone"
	case share.OtherNetwork:
		return "this is another network"
	case share.PublicNetwork:
		return "only public addresses here"
	case share.NoCertificate:
		if st.Encryption.Fault == share.CertVault {
			return "waiting for the keychain"
		}
		return "no certificate to encrypt with"
	case share.NoNetwork, share.ListenFault, share.NoProblem:
	}
	return "cannot listen"
}

// Shape is the icon for a state. A pause looks like off: the shape tells whether
// anybody gets in, and the words tell why.
func Shape(st share.State) assets.TrayShape {
	switch {
	case st.Broken():
		return assets.TrayBroken
	case st.Attention():
		return assets.TrayAttention
	case st.Phase == share.Sharing, st.Phase == share.Stopping:
		return assets.TraySharing
	}
	return assets.TrayOff
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
