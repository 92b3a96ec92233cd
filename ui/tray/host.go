package tray

// HostKind says what kind of tray a desktop offers.
type HostKind int

// The kinds of tray.
const (
	NoHost HostKind = iota // nothing would show an icon: GNOME without the extension, a bare window manager
	Native                 // Windows, macOS, or a StatusNotifierItem host (KDE, Xfce, Cinnamon, MATE, LXQt …)
	XEmbed                 // only the old X11 tray (i3bar, trayer, polybar …): the lite tray shows there, Fyne's does not
)
