package assets

// TrayShape is what the icon in the panel looks like. The four differ without colour.
type TrayShape string

// The four shapes.
const (
	TrayOff       TrayShape = "off"       // an open outline: nobody else can use this machine
	TraySharing   TrayShape = "sharing"   // a filled gate
	TrayAttention TrayShape = "attention" // a filled gate with a dot
	TrayBroken    TrayShape = "broken"    // a gate struck through
)

// TrayShapes lists the four shapes.
func TrayShapes() []TrayShape {
	return []TrayShape{TrayOff, TraySharing, TrayAttention, TrayBroken}
}

// TrayIcon returns the shape as a 64 pixel PNG in a middle green that keeps a
// contrast of 3 to both a light and a dark panel: a program is not told which
// of the two its icon lies on. An outlined white shape was tried instead; at
// 16 pixels its outline made "off" look like "sharing".
func TrayIcon(shape TrayShape) []byte { return read("tray/" + string(shape) + "-any.png") }

// TrayIconOn returns the shape for a panel that is known to be dark or light.
func TrayIconOn(shape TrayShape, darkPanel bool) []byte {
	if darkPanel {
		return read("tray/" + string(shape) + "-dark.png")
	}
	return read("tray/" + string(shape) + "-light.png")
}

// TraySVG returns the shape in black, for systems that colour tray icons
// themselves.
func TraySVG(shape TrayShape) []byte { return outlined(read("icons/tray-" + string(shape) + ".svg")) }

// Gate returns the shape as an icon, for showing the same sign inside a window.
func (s TrayShape) Gate() Icon { return Icon("tray-" + string(s)) }
