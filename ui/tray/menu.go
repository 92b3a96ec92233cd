// Package tray is the icon in the panel with its menu.
package tray

import (
	"cmp"
	"fmt"
	"slices"

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
	CopyAddress Action = "copy-address"
	CopyKey     Action = "copy-key" // Arg is the key's name
	NewKey      Action = "new-key"
	UseOllama   Action = "use-ollama" // end the demo
	OpenLog     Action = "open-log"
	Allow       Action = "allow"    // Arg is an origin, or the name of a preset
	Block       Action = "block"    // as Allow
	Websites    Action = "websites" // open their screen
	Open        Action = "open"
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

// Menu is what the tray shows for a state, from top to bottom.
func Menu(st share.State) []Item {
	items := []Item{{Label: Status(st), Disabled: true}}
	if st.Wanted {
		items = append(items, Item{Label: "Stop sharing", Action: Stop})
	} else {
		items = append(items, Item{Label: "Start sharing", Action: Start})
	}
	if st.Ollama.Demo {
		items = append(items, Item{Label: "End the demo, use Ollama again", Action: UseOllama})
	}
	items = append(items, Item{})
	if address := st.Address(); address != "" && st.Phase == share.Sharing {
		plain := ""
		if !st.Encrypted {
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
			Item{Label: "Request log…", Action: OpenLog},
			Item{},
			Item{Label: "Open Paddock", Action: Open})
	}
	items = append(items, Item{Label: "Quit Paddock", Action: Quit})
	return items
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
func Status(st share.State) string {
	demo := ""
	if st.Ollama.Demo {
		demo = " the demo"
	}
	switch st.Phase {
	case share.Off:
		return "○ Not sharing"
	case share.Starting:
		return "○ Starting…"
	case share.Stopping:
		return "○ Stopping…"
	case share.Waiting:
		return "✕ " + waiting(st)
	case share.Sharing:
	}
	text := fmt.Sprintf("● Sharing%s · %s · %d running", demo, count(st.Teammates, "teammate", "teammates"), st.Running)
	if st.Waiting > 0 {
		text += fmt.Sprintf(" · %d waiting", st.Waiting)
	}
	switch st.Problem {
	case share.NoProblem:
	case share.NoNetwork, share.NoSuchAddr:
		return "● Sharing" + demo + ", but on no network"
	case share.PortInUse, share.NotAllowed, share.ListenFault:
		return "● Sharing" + demo + ", but not yet at the new address"
	}
	switch {
	case st.Ollama.Demo && st.Attention():
		return "● Sharing, but the demo does not work"
	case st.Ollama.Health == share.Silent:
		return "● Sharing, but Ollama does not answer"
	case st.Ollama.Health == share.Stranger:
		return "● Sharing, but what answers is not Ollama"
	}
	return text
}

func waiting(st share.State) string {
	switch st.Problem {
	case share.PortInUse:
		return "Not sharing: the port is in use"
	case share.NoSuchAddr:
		return "Not sharing: waiting for the network"
	case share.NotAllowed:
		return "Not sharing: the port is not allowed"
	case share.NoNetwork, share.ListenFault, share.NoProblem:
	}
	return "Not sharing: cannot listen"
}

// Shape is the icon for a state.
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
