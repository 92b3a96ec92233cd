package assets

import "slices"

// Icon names a line icon on a 24 grid, drawn in black; black stands for the
// colour of the place where the icon is shown.
type Icon string

// Rooms of the main window.
const (
	Share    Icon = "share"
	Keys     Icon = "keys"
	Websites Icon = "websites"
	Safety   Icon = "safety"
	Usage    Icon = "usage"
	Settings Icon = "settings"
	Log      Icon = "log"
)

// States. Each has a shape of its own, so that colour is never needed to tell them apart.
const (
	Allowed   Icon = "allowed"
	Refused   Icon = "refused"
	Waiting   Icon = "waiting"
	Running   Icon = "running"
	Paused    Icon = "paused"
	Stop      Icon = "stop"
	Attention Icon = "attention"
	Danger    Icon = "danger"
	Unknown   Icon = "unknown" // could not be read
)

// Actions and signs.
const (
	Close   Icon = "close"
	Columns Icon = "columns"
	Copy    Icon = "copy"
	Down    Icon = "down"
	Export  Icon = "export"
	Fold    Icon = "fold"
	Network Icon = "interface" // a network interface
	Open    Icon = "open"
	Person  Icon = "person"
	Plus    Icon = "plus"
	Program Icon = "program"
	Right   Icon = "right"
	Search  Icon = "search"
	Up      Icon = "up"
)

var icons = []Icon{
	Share, Keys, Websites, Safety, Usage, Settings, Log,
	Allowed, Refused, Waiting, Running, Paused, Stop, Attention, Danger, Unknown,
	Close, Columns, Copy, Down, Export, Fold, Network, Open, Person, Plus, Program, Right, Search, Up,
}

// Icons lists every icon, for galleries and tests.
func Icons() []Icon { return slices.Clone(icons) }

// SVG returns the drawing, without strokes. The caller owns the bytes.
func (i Icon) SVG() []byte { return outlined(read("icons/" + string(i) + ".svg")) }
