//go:build !lite

package prefs

import (
	"context"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// networks is where to share, and who is told of it.
type networks struct {
	s         *Screen
	content   *fyne.Container
	all       *kit.Choice
	one       *kit.Choice
	only      *kit.Choice
	which     *kit.Button
	means     *kit.Paragraph
	waits     *note
	trouble   *note
	discovery *toggle
	announced *note
	busy      bool
}

func newNetworks(s *Screen) *networks {
	n := &networks{s: s, means: kit.NewParagraph(kit.Small, ""), waits: newNote(), trouble: newNote(), announced: newNote()}
	n.all = kit.NewChoice(assets.Share, "All private networks", "such as at home, in the office or by VPN; never a public one", func() { n.set(settings.NetworkPrivate) })
	n.one = kit.NewChoice(assets.Network, "One interface", "", n.setInterface)
	n.only = kit.NewChoice(assets.Safety, "Only this network", "", func() { n.set(settings.NetworkHere) })
	n.which = kit.NewMenuButton("Which", "", n.interfaces).Named("Which interface")
	where := kit.VBox(theme.Space8, n.all, kit.HBox(theme.Space8, kit.Grow(n.one), n.which), n.only)
	n.discovery = newToggle(s, "Announce on the network", settings.ShareDiscovery,
		"By mDNS, so that teammates find this gate: its name, address, port and the certificate's fingerprint. No keys, no models, nobody's name.",
		n.announced.content)
	n.content = newCard("Networks",
		newLine("Share on", settings.ShareNetwork, n.means, nil, where, n.waits.content, n.trouble.content), n.discovery.content)
	return n
}

func (n *networks) object() fyne.CanvasObject { return n.content }

// chosen is the choice as it is in force.
func (n *networks) chosen() settings.Network {
	c, err := settings.ParseNetwork(n.s.st.Networks.Choice)
	if err != nil {
		return n.s.now.Network
	}
	return c
}

// set asks for another choice. The State tells when it holds.
func (n *networks) set(value string) {
	if n.busy || value == n.s.st.Networks.Choice {
		return
	}
	if value == settings.NetworkHere && n.chosenHere() {
		return
	}
	n.busy = true
	n.trouble.set(kit.Attention, "")
	n.s.run(func(context.Context) error { return n.s.o.Keeper.Set(settings.ShareNetwork, value) }, func(err error) {
		n.busy = false
		if err != nil {
			n.trouble.set(kit.Attention, n.s.o.Say(err))
		}
	})
}

// chosenHere says whether the network that this machine is on is the chosen one.
func (n *networks) chosenHere() bool {
	c := n.chosen()
	here, ok := n.here()
	return ok && n.s.st.Networks.Fits && c.Subnet.IsValid() && c.Subnet.String() == here.Subnet && c.Interface == here.Interface
}

// here is the network that “only this network” would mean.
func (n *networks) here() (share.Network, bool) {
	for _, x := range n.s.st.Networks.List {
		if x.Here {
			return x, true
		}
	}
	return share.Network{}, false
}

// setInterface takes the interface that is the likeliest.
func (n *networks) setInterface() {
	if c := n.chosen(); c.Interface != "" && !c.Subnet.IsValid() {
		return // it is the choice
	}
	x, ok := n.here()
	if !ok && len(n.s.st.Networks.List) > 0 {
		x, ok = n.s.st.Networks.List[0], true
	}
	if !ok {
		n.trouble.set(kit.Attention, "This computer is on no network now, so there is no interface to choose.")
		n.s.content.Refresh()
		return
	}
	n.set(settings.Network{Interface: x.Interface}.String())
}

// interfaces are the entries of the menu, each interface once.
func (n *networks) interfaces() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	seen := map[string]bool{}
	for _, x := range n.s.st.Networks.List {
		if seen[x.Interface] {
			continue
		}
		seen[x.Interface] = true
		value := settings.Network{Interface: x.Interface}.String()
		item := fyne.NewMenuItem(requestlog.Clean(x.Interface, maxName)+"   "+x.Address, func() { n.set(value) })
		item.Checked = value == n.s.st.Networks.Choice
		items = append(items, item)
	}
	if len(items) == 0 {
		none := fyne.NewMenuItem("No network now", nil)
		none.Disabled = true
		items = append(items, none)
	}
	return items
}

func (n *networks) show() bool {
	c, st := n.chosen(), n.s.st
	only, one := c.Subnet.IsValid() || c.Here, c.Interface != "" && !c.Subnet.IsValid()
	n.all.SetChosen(!only && !one)
	n.one.SetChosen(one)
	n.only.SetChosen(only)
	n.one.SetDetail(interfaceWords(st.Networks, c))
	n.only.SetDetail(onlyWords(st.Networks, c))
	text := meansNetwork(c)
	changed := n.means.Text() != text
	n.means.SetText(text)
	changed = n.waits.set(kit.Attention, waitWords(st, c)) || changed
	n.discovery.show(n.s.now.Discovery)
	tone, words := discoveryWords(st)
	return n.announced.set(tone, words) || changed
}
