//go:build !lite

// Package desk is the screen where the owner shares and stops sharing.
package desk

import (
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// Asks is what the screen can ask for. All of it returns at once; what becomes
// of it is in the next State.
type Asks struct {
	Start, Stop func()
	Pause       func(d time.Duration) // 0 is until Resume
	Resume      func()
	Demo        func(on bool)
	Listen      func(addr string) // share at another address
	Here        func()            // share on the network around us from now on
	Encrypt     func()            // refuse plain HTTP from now on
	FirstKey    func()
	OpenLog     func()
	Settings    func() // open them
	// Trouble says what is wrong with where keys are kept, or "".
	Trouble func(share.Keys) string
}

// Screen shows one State after another. It belongs to Fyne's thread.
type Screen struct {
	asks    Asks
	content *fyne.Container

	noKeys   *kit.Banner
	firstKey *kit.Button
	memory   *kit.Banner

	power    *kit.Switch
	sign     *kit.Icon
	title    *kit.Text
	sentence *kit.Paragraph
	pause    *kit.Button
	resume   *kit.Button
	giveUp   *kit.Button
	mend     *kit.Button
	mending  mend
	port     *kit.Button
	portAddr string

	addresses   *fyne.Container // of CopyRows
	fingerprint *kit.CopyRow
	reached     *kit.Paragraph
	plain       *notice
	fault       *notice
	faultMend   mend
	reach       *kit.Text

	ollamaIcon    *kit.Icon
	ollamaTitle   *kit.Text
	ollamaLine    *kit.Text
	ollamaFacts   *fyne.Container
	ollamaTrouble *fyne.Container
	ollamaAdvice  *kit.Paragraph
	loaded        *kit.Text
	models        *kit.Text
	running       *kit.Text
	waiting       *kit.Text
	demo          *kit.Button

	heal     *kit.Banner
	healNew  time.Time // of the one that is told
	healRead time.Time // of the newest one that the owner has read

	strip *strip
	shape shape // what was laid out last
}

// shape is all that decides where things lie. Only when it changes is the
// screen laid out again.
type shape struct {
	noKeys, memory, trouble, giveUp, port, pause, resume, ollamaTrouble, demo bool
	sentence, reach, advice, vault, portAddr, addresses, heal                 string
	mend                                                                      mend
	fingerprint, reached, plain, fault                                        string
}

var copyWords = kit.CopyWords{Copy: "Copy", Copied: "Copied"}

// New returns the screen; Show fills it.
func New(asks Asks) *Screen {
	s := &Screen{asks: asks}
	s.firstKey = kit.NewButton(kit.Primary, "Make the first key", assets.Plus, asks.FirstKey)
	s.noKeys = kit.NewBanner(kit.Waiting, assets.Keys, "No keys yet, so nobody can use it.", s.firstKey)
	s.memory = kit.NewBanner(kit.Attention, "", "Keys end with the program.")
	s.heal = kit.NewBanner(kit.Waiting, "", "", kit.NewButton(kit.Outlined, "OK", "", s.readHeal).Small())
	s.content = page.New(nil, kit.VBox(theme.CardGap, s.noKeys, s.stateCard(), s.memory, s.addressCard(), s.heal, s.ollamaCard(), s.requestCard()), nil)
	return s
}

// Content is what to show.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

func (s *Screen) stateCard() fyne.CanvasObject {
	s.power = kit.NewSwitch("Share Ollama", func(on bool) {
		if on {
			s.asks.Start()
		} else {
			s.asks.Stop()
		}
	}).Big()
	s.sign = kit.NewIcon(assets.Attention, theme.ColorAttention, theme.Icon20)
	s.title, s.sentence = kit.NewText(kit.Title, ""), kit.NewParagraph(kit.Muted, "")
	s.port = kit.NewButton(kit.Primary, "", "", func() { s.asks.Listen(s.portAddr) })
	s.mend = kit.NewButton(kit.Outlined, "", "", func() { s.mendBy(s.mending) })
	s.giveUp = kit.NewButton(kit.Outlined, "Stop trying", "", func() { s.asks.Stop() })
	s.resume = kit.NewButton(kit.Outlined, "Resume", assets.Running, func() { s.asks.Resume() })
	s.pause = kit.NewMenuButton("Pause for", assets.Paused, s.breaks)
	words := kit.VBox(0, kit.HBox(theme.Space8, s.sign, s.title), s.sentence)
	ways := kit.VBox(theme.Space8, s.pause, s.resume, s.port, s.mend, s.giveUp)
	return kit.NewCard(kit.HBox(theme.Space16, s.power, kit.Grow(kit.Beside(theme.Space16, leastWords, words, ways))))
}

// leastWords is how narrow the words of the state may be before the buttons go
// below them.
const leastWords = 270

// breaks are the pauses to choose from.
func (s *Screen) breaks() []*fyne.MenuItem {
	item := func(label string, d time.Duration) *fyne.MenuItem {
		return fyne.NewMenuItem(label, func() { s.asks.Pause(d) })
	}
	return []*fyne.MenuItem{item("15 minutes", 15*time.Minute), item("1 hour", time.Hour), item("until I resume", 0)}
}

func (s *Screen) mendBy(m mend) {
	switch m {
	case shareHere:
		s.asks.Here()
	case tryAgain:
		s.asks.Start()
	case toSettings:
		s.asks.Settings()
	case noMend:
	}
}

func (s *Screen) addressCard() fyne.CanvasObject {
	s.addresses = kit.VBox(theme.Space12)
	s.fingerprint = kit.NewCopyRow("Fingerprint", "", copyWords).Shorten(kit.CutMiddle)
	s.reach = kit.NewText(kit.Small, "").Shorten(kit.CutEnd)
	s.reached = kit.NewParagraph(kit.Small, "")
	s.plain = newNotice(kit.NewButton(kit.Outlined, "Require encryption", "", func() { s.asks.Encrypt() }).Small())
	s.fault = newNotice(kit.NewButton(kit.Outlined, "", "", func() { s.mendBy(s.faultMend) }).Small())
	return kit.NewCard(kit.VBox(theme.Space8, kit.HBox(theme.Space8, kit.NewText(kit.Strong, "Addresses"), kit.Grow(s.reach)),
		kit.VBox(theme.Space12, s.addresses, s.fingerprint), s.reached, s.plain.line, s.fault.line))
}

// notice is a line to look at with the button that mends it.
type notice struct {
	line   *fyne.Container
	words  *kit.Paragraph
	button *kit.Button
}

func newNotice(button *kit.Button) *notice {
	n := &notice{words: kit.NewParagraph(kit.Note, "").Ink(theme.ColorAttention), button: button}
	n.line = kit.HBox(theme.Space8, kit.NewIcon(assets.Attention, theme.ColorAttention, theme.Icon16), kit.Grow(n.words), button)
	return n
}

func (n *notice) show(words string, offered bool) {
	n.words.SetText(words)
	show(n.line, words != "")
	show(n.button, offered)
}

func (s *Screen) ollamaCard() fyne.CanvasObject {
	s.ollamaIcon = kit.NewIcon(assets.Waiting, theme.ColorWaiting, theme.Icon16)
	s.ollamaTitle, s.ollamaLine = kit.NewText(kit.Strong, ""), kit.NewText(kit.Small, "")
	s.ollamaAdvice = kit.NewParagraph(kit.Muted, "")
	s.loaded, s.models, s.running, s.waiting = kit.NewText(kit.Body, "").Shorten(kit.CutEnd), kit.NewText(kit.Body, ""), kit.NewText(kit.Body, ""), kit.NewText(kit.Body, "")
	s.demo = kit.NewButton(kit.Outlined, "Try the built-in demo", "", func() { s.asks.Demo(true) })
	fact := func(label string, value fyne.CanvasObject) fyne.CanvasObject {
		return kit.VBox(0, kit.NewText(kit.Small, label), value)
	}
	s.ollamaFacts = container.New(factsLayout{}, kit.Padded(theme.Space12, 0, 0, 0, fact("Loaded", s.loaded)),
		fact("Running", s.running), fact("Waiting", s.waiting), fact("Models", s.models))
	words := kit.VBox(0, s.ollamaTitle, s.ollamaLine)
	s.ollamaTrouble = kit.HBox(theme.Space16, kit.Grow(s.ollamaAdvice), s.demo)
	return kit.NewCard(kit.VBox(theme.Space8,
		kit.HBox(theme.Space12, s.ollamaIcon, words, kit.Grow(s.ollamaFacts)), s.ollamaTrouble))
}

// factsLayout lines facts up: the first takes what is left, and the last steps
// aside where there is little.
type factsLayout struct{}

// leastFact is what the first fact needs to say anything.
const leastFact = 90

// MinSize belongs to Fyne.
func (factsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for i, o := range objects {
		s := o.MinSize()
		m.Height = max(m.Height, s.Height)
		if i < len(objects)-1 {
			m.Width += s.Width + theme.Space24
		}
	}
	m.Width -= theme.Space24
	return m
}

// Layout belongs to Fyne.
func (f factsLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	last := objects[len(objects)-1]
	room := size.Width - f.MinSize(objects).Width - theme.Space24 - last.MinSize().Width
	show(last, room >= leastFact)
	if !last.Visible() {
		objects = objects[:len(objects)-1]
	}
	x := size.Width
	for i := len(objects) - 1; i > 0; i-- {
		m := objects[i].MinSize()
		x -= m.Width
		objects[i].Move(fyne.NewPos(x, 0))
		objects[i].Resize(fyne.NewSize(m.Width, size.Height))
		x -= theme.Space24
	}
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(x, size.Height))
}

func (s *Screen) requestCard() fyne.CanvasObject {
	s.strip = newStrip(func() { s.asks.OpenLog() })
	more := kit.NewButton(kit.Plain, "Open request log", "", func() { s.asks.OpenLog() }).Small().After(assets.Open)
	head := kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, 0, kit.HBox(0, kit.NewText(kit.Strong, "Last requests"), kit.Space(), more))
	return kit.NewTableCard(kit.VBox(0, head, s.strip.content))
}

// Show paints a state with the newest requests, the newest first, as of a moment.
func (s *Screen) Show(st share.State, recent []requestlog.Entry, at time.Time) {
	now := s.shape
	s.showState(st, at, &now)
	s.showAddresses(st, &now)
	s.showOllama(st, &now)
	s.showKeys(st, &now)
	s.showHeal(st, at, &now)
	s.choosePrimary(now)
	s.strip.show(recent, st, at)
	if now != s.shape {
		s.shape = now
		s.content.Refresh()
	}
}

func (s *Screen) showState(st share.State, at time.Time, now *shape) {
	words := sharing(st, at)
	on := st.Phase == share.Sharing || st.Phase == share.Paused || st.Phase == share.Stopping || st.Phase == share.Waiting
	pending := st.Phase == share.Starting || st.Phase == share.Stopping || st.Phase == share.Waiting
	if s.power.On() != on || s.power.Pending() != pending {
		s.power.SetOn(on)
		s.power.SetPending(pending)
	}
	switch {
	case words.trouble:
		s.sign.Set(assets.Attention, theme.ColorAttention)
	case st.Phase == share.Paused:
		s.sign.Set(assets.Paused, theme.ColorPaused)
	}
	s.title.SetText(words.title)
	s.sentence.SetText(words.sentence)
	s.portAddr = otherPort(st)
	if s.portAddr != "" {
		s.port.SetText("Use " + lower(portOf(s.portAddr)))
	}
	if s.mending = words.mend; s.mending != noMend {
		s.mend.SetText(s.mending.words())
	}
	now.trouble, now.sentence, now.portAddr, now.mend = words.trouble, words.title+words.sentence, s.portAddr, words.mend
	now.giveUp, now.port = st.Phase == share.Waiting, s.portAddr != ""
	now.resume = st.Phase == share.Paused
	now.pause = st.Phase == share.Sharing && words.mend == noMend
	show(s.sign, now.trouble || now.resume)
	show(s.pause, now.pause)
	show(s.resume, now.resume)
	show(s.giveUp, now.giveUp)
	show(s.port, now.port)
	show(s.mend, now.mend != noMend)
}

func (s *Screen) showAddresses(st share.State, now *shape) {
	for len(s.addresses.Objects) < len(st.Addresses) {
		s.addresses.Add(kit.NewCopyRow("", "", copyWords))
	}
	if extra := len(s.addresses.Objects) - len(st.Addresses); extra > 0 {
		s.addresses.Objects = slices.Delete(s.addresses.Objects, len(st.Addresses), len(st.Addresses)+extra)
	}
	now.addresses = ""
	for i, a := range st.Addresses {
		now.addresses += a.URL + "\n"
		row := s.addresses.Objects[i].(*kit.CopyRow)
		if row.Value() != a.URL {
			row = kit.NewCopyRow(addressLabel(a.URL), a.URL, copyWords).Shorten(kit.CutMiddle)
			s.addresses.Objects[i] = row
		}
	}
	s.showProof(st, now)
	up := st.Phase == share.Sharing || st.Phase == share.Paused
	text := ""
	switch {
	case len(st.Addresses) == 0:
		text = "none: this machine is on no private network"
	case st.Wanted && !up:
		text = "nobody answers here yet"
	case !up:
		text = "nobody answers here until you share"
	}
	s.reach.SetText(text)
	now.reach = text
	show(s.addresses, len(st.Addresses) > 0)
	show(s.reach, text != "")
}

// showProof says how the gate proves itself and who could read along.
func (s *Screen) showProof(st share.State, now *shape) {
	e := st.Encryption
	now.fingerprint = ""
	if encrypted(st) && e.Ready {
		now.fingerprint = e.Fingerprint
	}
	if s.fingerprint.Value() != now.fingerprint {
		s.fingerprint.SetValue(now.fingerprint)
		s.fingerprint.Showing(kit.Fingerprint(now.fingerprint))
	}
	show(s.fingerprint, now.fingerprint != "")

	now.plain = inClear(st)
	now.reached = ""
	if st.Phase == share.Sharing || st.Phase == share.Paused {
		now.reached = reachedBy(st)
	}
	s.reached.SetText(now.reached)
	show(s.reached, now.reached != "")
	s.plain.show(now.plain, now.plain != "")

	now.fault, s.faultMend = "", noMend
	if e.Fault != share.NoCertFault && st.Wanted && st.Problem != share.NoCertificate { // the card above says that
		now.fault, s.faultMend = certificate(e)
	}
	if s.faultMend != noMend {
		s.fault.button.SetText(s.faultMend.words())
	}
	s.fault.show(now.fault, s.faultMend != noMend)
}

func (s *Screen) showOllama(st share.State, now *shape) {
	o := st.Ollama
	words := ollama(o)
	icon, ink := assets.Allowed, theme.ColorAllowed
	switch {
	case words.trouble:
		icon, ink = assets.Attention, theme.ColorAttention
	case o.Demo:
		icon, ink = assets.Attention, theme.ColorAttention
	case o.Health == share.Unknown:
		icon, ink = assets.Waiting, theme.ColorWaiting
	}
	s.ollamaIcon.Set(icon, ink)
	s.ollamaTitle.SetText(words.title)
	s.loaded.SetText(list(o.Loaded, "nothing yet"))
	s.models.SetText(strconv.Itoa(len(o.Models)))
	s.running.SetText(strconv.Itoa(st.Running))
	s.waiting.SetText(strconv.Itoa(st.Waiting))
	now.ollamaTrouble, now.demo, now.advice = words.trouble, words.trouble && !o.Demo, ""
	if words.trouble {
		now.advice = words.sentence
		s.ollamaLine.SetText("")
	} else {
		s.ollamaLine.SetText(words.sentence)
	}
	s.ollamaAdvice.SetText(now.advice)
	show(s.ollamaLine, !words.trouble)
	show(s.ollamaFacts, !words.trouble)
	show(s.ollamaTrouble, words.trouble)
	show(s.demo, now.demo)
}

func (s *Screen) showKeys(st share.State, now *shape) {
	now.noKeys = len(st.Keys.List) == 0
	now.vault = s.asks.Trouble(st.Keys)
	now.memory = now.vault != "" && !now.noKeys
	if now.memory {
		s.memory.Set(kit.Attention, "", now.vault)
	}
	show(s.noKeys, now.noKeys)
	show(s.memory, now.memory)
}

// showHeal tells of the last model that had stopped answering, until the owner
// has read it or it is old.
func (s *Screen) showHeal(st share.State, at time.Time, now *shape) {
	s.healNew = time.Time{}
	now.heal = ""
	if h, ok := lastHeal(st.Heals); ok && h.At.After(s.healRead) && at.Sub(h.At) < healOld {
		words := healed(st.Heals, at)
		s.healNew, now.heal = h.At, words.sentence
		tone := kit.Allowed
		if words.trouble {
			tone = kit.Attention
		}
		s.heal.Set(tone, "", words.sentence)
	}
	show(s.heal, now.heal != "")
}

func (s *Screen) readHeal() {
	s.healRead = s.healNew
	s.shape.heal = ""
	show(s.heal, false)
	s.content.Refresh()
}

// healOld is how long it is news that a model was restarted.
const healOld = 12 * time.Hour

// choosePrimary leaves one green button: what comes first on the way to a
// teammate's first answer.
func (s *Screen) choosePrimary(now shape) {
	style := func(b *kit.Button, wanted bool, taken *bool) {
		if wanted && !*taken {
			b.SetStyle(kit.Primary)
			*taken = true
			return
		}
		b.SetStyle(kit.Outlined)
	}
	taken := false
	style(s.port, now.port, &taken)
	style(s.mend, now.mend != noMend, &taken)
	style(s.resume, now.resume, &taken)
	style(s.demo, now.demo, &taken)
	style(s.firstKey, now.noKeys, &taken)
}

func show(o fyne.CanvasObject, yes bool) {
	switch {
	case yes && !o.Visible():
		o.Show()
	case !yes && o.Visible():
		o.Hide()
	}
}

// lower begins a phrase with a small letter, for the middle of a sentence.
func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}
