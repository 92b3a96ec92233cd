package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/assets"
	"paddock/ui/theme"
)

// NavItem is a room in the sidebar.
type NavItem struct {
	press
	icon, after assets.Icon
	label       string
	selected    bool
	badge       *Tag
	badgeIcon   assets.Icon // gives way where the name needs the room
}

// type check
var _ fyne.Accessible = (*NavItem)(nil)

// NewNavItem returns a room that is not the current one.
func NewNavItem(icon assets.Icon, label string, tapped func()) *NavItem {
	n := &NavItem{icon: icon, label: label, badge: NewTag(Neutral, "", "")}
	n.badge.Hide()
	n.act = tapped
	n.ExtendBaseWidget(n)
	return n
}

// After puts an icon at the end, for rooms that open a window. It returns n.
func (n *NavItem) After(icon assets.Icon) *NavItem {
	n.after = icon
	return n
}

// SetSelected shows whether this is the current room.
func (n *NavItem) SetSelected(selected bool) {
	if n.selected != selected {
		n.selected = selected
		n.Refresh()
	}
}

// Selected reports whether this is shown as the current room.
func (n *NavItem) Selected() bool { return n.selected }

// SetBadge shows a count with the tone's shape; an empty text shows none.
func (n *NavItem) SetBadge(tone Tone, icon assets.Icon, text string) {
	n.badgeIcon = icon
	n.badge.Set(tone, icon, text)
	if (text != "") != n.badge.Visible() {
		if text == "" {
			n.badge.Hide()
		} else {
			n.badge.Show()
		}
	}
	n.Refresh()
}

// AccessibilityLabel is the room's name with its badge.
func (n *NavItem) AccessibilityLabel() string {
	if n.badge.Visible() {
		return n.label + ", " + n.badge.text
	}
	return n.label
}

// AccessibilityRole is button.
func (n *NavItem) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer belongs to Fyne.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	ground, label := canvas.NewRectangle(nil), &canvas.Text{}
	icon, after := newGlyph(), newGlyph()
	ring := NewFocusRing(theme.RadiusButton).inside()
	const pad, gap = float32(10), float32(10)
	r := &renderer{objects: []fyne.CanvasObject{ground, icon.Image, label, after.Image, n.badge, &ring.Rectangle}}
	r.minSize = func() fyne.Size {
		l := lookOf(n)
		// The sidebar keeps its width at every size of text; names give way.
		return fyne.NewSize(2*pad+l.icon(theme.Icon20), l.size(theme.SizeStripRow))
	}
	r.layout = func(s fyne.Size) {
		ground.CornerRadius = theme.RadiusButton
		place(ground, 0, 0, s.Width, s.Height)
		ring.Surround(fyne.Position{}, s)
		icon.center(pad, 0, s.Height)
		x := pad + icon.edge + gap
		end := s.Width - pad
		fits := func(end float32) bool {
			return fyne.MeasureText(n.label, label.TextSize, label.TextStyle).Width <= end-x
		}
		if n.badge.Visible() {
			n.badge.Set(n.badge.tone, n.badgeIcon, n.badge.text)
			if !fits(end - n.badge.MinSize().Width - theme.Space4) {
				n.badge.Set(n.badge.tone, "", n.badge.text) // the number tells more than its sign
			}
			end -= n.badge.MinSize().Width + theme.Space4
		} else if n.after != "" {
			end -= after.edge + theme.Space4
			// With large text the name goes before the sign that a window opens.
			if !fits(end) {
				end += after.edge + theme.Space4
				after.Hide()
			} else {
				after.Show()
			}
		}
		label.Text = shorten(n.label, CutEnd, end-x, label.TextSize, label.TextStyle)
		place(label, x, 0, max(end-x, 0), s.Height)
		after.center(s.Width-pad-after.edge, 0, s.Height)
		b := n.badge.MinSize()
		place(n.badge, s.Width-pad-b.Width, float32(int((s.Height-b.Height)/2)), b.Width, b.Height)
	}
	r.refresh = func() {
		l := lookOf(n)
		fill, ink := fyne.ThemeColorName(""), theme.ColorMuted
		switch {
		case n.selected:
			fill, ink = theme.ColorSelected, theme.ColorText
		case n.lit():
			fill, ink = theme.ColorHover, theme.ColorText
		}
		ground.FillColor = l.color(fill)
		label.TextSize, label.Color = l.size(theme.SizeTextBody), l.color(ink)
		label.TextStyle = fyne.TextStyle{Bold: n.selected}
		icon.set(n.icon, l.color(ink), l.icon(theme.Icon20))
		after.set(n.after, l.color(theme.ColorMuted), l.icon(theme.Icon14))
		n.badge.strong = n.selected
		n.badge.Refresh()
		ring.Set(n.focused, n)
		r.layout(n.Size())
		canvas.Refresh(n)
	}
	r.refresh()
	return r
}
