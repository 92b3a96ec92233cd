package kit

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

var words = CopyWords{"Copy", "Copied"}

// board is a picture of the gallery.
type board struct {
	name string
	size fyne.Size
	make func() fyne.CanvasObject
}

func focused[T fyne.Focusable](o T) T {
	o.FocusGained()
	return o
}

func hovered[T interface {
	fyne.CanvasObject
	MouseIn(*desktop.MouseEvent)
}](o T) T {
	o.MouseIn(&desktop.MouseEvent{})
	return o
}

func disabled[T fyne.Disableable](o T) T {
	o.Disable()
	return o
}

func nothing() {}

func nav(selected int, safety Tone, icon assets.Icon) fyne.CanvasObject {
	rooms := []struct {
		icon assets.Icon
		name string
	}{{assets.Share, "Share"}, {assets.Keys, "Keys"}, {assets.Websites, "Websites"}, {assets.Safety, "Safety"}, {assets.Usage, "Usage"}, {assets.Settings, "Settings"}}
	list := VBox(2)
	for i, room := range rooms {
		item := NewNavItem(room.icon, room.name, nothing)
		item.SetSelected(i == selected)
		if room.name == "Safety" {
			item.SetBadge(safety, icon, "1")
		}
		list.Add(item)
	}
	app := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.AppSVG()))
	brand := Padded(8, 0, 8, 16, HBox(10, Sized(28, 28, app), NewText(Big, "Paddock")))
	state := VBox(0, NewText(Strong, "Sharing"), NewText(Small, "1 running · 1 waiting").Shorten(CutEnd))
	foot := VBox(12, NewNavItem(assets.Log, "Request log", nothing).After(assets.Open), NewDivider(),
		Padded(10, 0, 10, 0, HBox(10, NewIcon(assets.TraySharing.Gate(), theme.ColorAllowed, 24), Grow(state))))
	return Sized(theme.SidebarWidth, 0, NewGround(theme.ColorSidebar, HBoxFull(0,
		Grow(Padded(12, 16, 12, 16, Edges(brand, foot, nil, nil, list))), NewUpright())))
}

func shareBoard() fyne.CanvasObject {
	big := NewSwitch("Sharing", func(bool) {}).Big()
	big.SetOn(true)
	state := NewCard(HBox(16, big, Grow(VBox(0, NewText(Title, "Sharing"), NewText(Muted, "Teammates on this network can use your Ollama, each with their own key."))),
		NewMenuButton("Pause for", assets.Paused, nil)))

	addresses := VBox(12, NewText(Strong, "Addresses"),
		NewCopyRow("Name", "https://anna-mbp.local:11435", words),
		NewCopyRow("IP address", "https://192.168.1.24:11435", words),
		NewCopyRow("Fingerprint", "9F:3A:51:0C:7E:B2:44:10:9B:7D:22:6C:D8:44:C7:41:9F:3A", words).Shorten(CutMiddle),
		NewText(Small, "Encrypted. Other computers on Home Wi-Fi can reach these addresses."))
	qr := canvas.NewRectangle(color.White)
	invite := HBox(16, Sized(126, 126, qr), VBox(8, NewText(Strong, "Invite"), Sized(112, 0, NewParagraph(Small, "Scan or paste it in another Paddock.")),
		Sized(112, 0, NewMenuButton("for ben", "", nil).Small().Leading()), Sized(112, 0, NewCopyButton(Outlined, CopyWords{"Copy invite", "Copied"}, func(func()) {}).Small().Leading())))
	second := NewTableCard(HBox(0, Grow(Padded(20, 16, 20, 16, addresses)), NewUpright(), Padded(20, 16, 36, 16, invite)))

	fact := func(label, value string) fyne.CanvasObject {
		return VBox(0, NewText(Small, label), NewText(Body, value))
	}
	ollama := NewCard(HBox(8, NewIcon(assets.Allowed, theme.ColorAllowed, 16), VBox(0, NewText(Strong, "Ollama 0.17.4"), NewText(Small, "answers on this machine")),
		Sized(16, 0, Space()), fact("Loaded", "qwen3:8b · nomic-embed-text"), Space(), fact("Running", "1 of 1"), Sized(36, 0, Space()), fact("Waiting", "1"), Sized(16, 0, Space())))

	columns := NewColumns(20, 20, 16,
		Column{ID: "time", Title: "Time", Width: 64}, Column{ID: "who", Title: "Who", Width: 132}, Column{ID: "what", Title: "What", Width: 76},
		Column{ID: "model", Title: "Model", Width: 126}, Column{ID: "result", Title: "Result", Width: 170, Grow: 1},
		Column{ID: "tokens", Title: "In→Out", Width: 80, Right: true}, Column{ID: "took", Title: "Took", Width: 48, Right: true})
	row := func(time, letter string, chip int, who, what, model string, tone Tone, icon assets.Icon, word, tokens, took string) fyne.CanvasObject {
		cells := columns.Cells(NewText(CellMuted, time), HBox(8, NewChip(letter, chip, false), Grow(NewText(Cell, who).Shorten(CutEnd))),
			NewText(Cell, what), NewText(CellMuted, model).Shorten(CutEnd), NewState(tone, icon, word).InRow(), NewText(CellMuted, tokens).Right(), NewText(CellMuted, took).Right())
		return NewRow(who, theme.SizeStripRow, cells, nothing)
	}
	rows := []fyne.CanvasObject{
		row("14:32:13", "N", 3, "n8n on the NAS", "Embed", "nomic-embed-text", Waiting, "", "Next in line", "", "1.2 s"),
		row("14:32:08", "A", 1, "alice", "Chat", "qwen3:8b", Allowed, assets.Running, "Running", "212→148", "6.1 s"),
		row("14:31:57", "N", 3, "n8n on the NAS", "Embed", "nomic-embed-text", Allowed, "", "Done", "512→0", "0.2 s"),
		row("14:31:40", "B", 2, "ben", "Pull model", "llama3.2:3b", Refused, "", "Managers only", "", ""),
		row("14:31:22", "B", 2, "ben", "Chat", "llama3.2:70b", Refused, "", "Model not granted", "", ""),
	}
	hovered(rows[2].(*Row))
	last := NewTableCard(VBox(0, Padded(20, 12, 20, 0, HBox(0, NewText(Strong, "Last requests"), Space(), NewButton(Plain, "Open request log", "", nothing).Small().After(assets.Open))),
		NewHeader(columns), VBox(0, rows...)))
	main := Padded(24, 24, 24, 24, VBox(16, state, second, ollama, last))
	return HBoxFull(0, nav(0, Attention, assets.Attention), Grow(NewGround(theme.ColorBackground, main)))
}

func keysBoard() fyne.CanvasObject {
	columns := NewColumns(20, 12, 12,
		Column{ID: "chip", Width: 32}, Column{ID: "name", Title: "Name", Width: 116}, Column{ID: "role", Title: "Role", Width: 62},
		Column{ID: "models", Title: "Models", Width: 134, Grow: 1}, Column{ID: "limits", Title: "Limits", Width: 88}, Column{ID: "used", Title: "Last used", Width: 76},
		Column{ID: "today", Title: "Today", Width: 92, Right: true}, Column{ID: "state", Title: "State", Width: 110})
	two := func(kind Kind, a, b string) fyne.CanvasObject { return VBox(0, NewText(kind, a), NewText(Small, b)) }
	cells := func(letter string, chip int, name, key, role, models, which, rate, once, used, requests, tokens string, on bool) *fyne.Container {
		s := NewSwitch(name, func(bool) {})
		s.SetOn(on)
		word, ink, strong := "On", theme.ColorText, fyne.ThemeColorName("")
		if !on {
			word, ink, strong = "Suspended", theme.ColorPaused, theme.ColorMuted
		}
		return columns.Cells(NewChip(letter, chip, true), VBox(0, NewText(Strong, name).Ink(strong), NewText(MonoSmall, key)), NewText(Body, role), two(Body, models, which),
			two(Body, rate, once), NewText(Muted, used), VBox(0, NewText(Body, requests).Right(), NewText(Small, tokens).Right()), HBox(8, s, NewText(Note, word).Ink(ink)))
	}
	ben := NewRow("ben", theme.SizeKeyRow, VBox(0,
		Sized(0, 60, cells("B", 2, "ben", "pdk_Zr4…", "User", "2 models", "llama3.2:3b, qwen3:8b", "60 a minute", "2 at once", "2 min ago", "17 requests", "9 815 tokens", true)),
		Padded(68, 0, 20, 14, HBox(8, NewCopyButton(Primary, CopyWords{"Copy key", "Copied"}, func(func()) {}), NewButton(Outlined, "How to connect", "", nothing), NewButton(Outlined, "Invite…", "", nothing),
			NewButton(Outlined, "Edit…", "", nothing), NewButton(Outlined, "Rotate…", "", nothing), Space(), NewButton(Outlined, "Remove…", "", nothing)))), nothing)
	ben.SetSelected(true)
	carol := focused(NewRow("carol", theme.SizeKeyRow, cells("C", 4, "carol's laptop", "pdk_Vx9…", "User", "All", "local only", "120 a minute", "4 at once", "3 days ago", "0 requests", "0 tokens", false), nothing))
	card := NewTableCard(VBox(0, NewHeader(columns),
		NewRow("alice", theme.SizeKeyRow, cells("A", 1, "alice", "pdk_7Qm…", "Manager", "All", "local and cloud", "120 a minute", "4 at once", "now", "48 requests", "31 240 tokens", true), nothing), ben,
		NewRow("n8n", theme.SizeKeyRow, cells("N", 3, "n8n on the NAS", "pdk_e0K…", "User", "1 model", "nomic-embed-text", "300 a minute", "4 at once", "12 s ago", "149 requests", "76 288 tokens", true), nothing), carol))
	head := HBox(16, VBox(0, NewText(Title, "Keys"), NewText(Muted, "One key for each teammate or program. Suspending works at once.")), Space(), NewButton(Primary, "New key", assets.Plus, nothing))
	foot := HBox(8, NewIcon(assets.Safety, theme.ColorMuted, 16), NewText(Small, "Keys are kept in the macOS Keychain. A copied key leaves the clipboard after one minute."))
	return HBoxFull(0, nav(1, Attention, assets.Attention), Grow(NewGround(theme.ColorBackground, Padded(24, 24, 24, 24, VBox(16, head, card, foot)))))
}

func newKeyBoard() fyne.CanvasObject {
	head := VBox(0, NewText(Small, "Keys / New key"), NewText(Title, "The key for carol's laptop is ready"))
	key := NewField("").WithIcon(assets.Keys).Mono()
	key.SetText("pdk_Vx9TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE")
	first := NewCard(VBox(12, HBox(12, Grow(key), focused(NewCopyButton(Primary, CopyWords{"Copy key", "Copied"}, func(func()) {}).Large())),
		HBox(8, NewIcon(assets.Safety, theme.ColorMuted, 16), NewText(Small, "Also in the macOS Keychain: you can copy it again at any time. Give it to one person only."))))
	tabs := NewTabs([]string{"curl", "Python", "JavaScript", "n8n", "Open WebUI", "ollama", "Continue", "Environment", "Another client", "And one more"}, "More", 20, func(int) {})
	step := func(n, what, how string) fyne.CanvasObject {
		return HBox(8, NewText(Strong, n), NewText(Strong, what), NewText(Muted, how))
	}
	second := NewTableCard(VBox(0, Padded(0, 4, 0, 0, tabs), Padded(20, 16, 20, 20, VBox(8,
		step("1.", "Fetch this laptop's certificate once", "and compare its fingerprint: 9F:3A:51:0C … D8:44:C7:41"),
		NewCodeBlock("curl -ko paddock-ca.pem https://anna-mbp.local:11435/paddock/ca.pem", words, nil),
		Padded(0, 12, 0, 0, step("2.", "Send a request", "with the key in PADDOCK_KEY")),
		NewCodeBlock("curl --cacert paddock-ca.pem https://anna-mbp.local:11435/api/chat \\\n  -H \"Authorization: Bearer $PADDOCK_KEY\" \\\n  -d '{\"model\": \"llama3.2:3b\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'", words, nil)))))
	foot := HBox(8, NewText(Small, "User · all models · 120 a minute · 4 at once · expires 22 Feb 2027"), Space(), NewButton(Outlined, "Change…", "", nothing), NewButton(Outlined, "Done", "", nothing))
	main := Edges(nil, foot, nil, nil, VBox(16, head, first, second, NewBanner(Waiting, "", "Waiting for the first request from carol's laptop…").Noted("this line turns green when it arrives")))
	return HBoxFull(0, nav(1, Attention, assets.Attention), Grow(NewGround(theme.ColorBackground, Padded(24, 24, 24, 24, main))))
}

func safetyBoard() fyne.CanvasObject {
	head := HBox(8, VBox(0, NewText(Title, "Safety"), NewText(Muted, "Facts that could let people walk around the gate, each with its fix.")), Space(),
		NewTag(Refused, assets.Danger, "1 problem"), NewTag(Attention, assets.Attention, "1 to look at"), NewTag(Allowed, assets.Allowed, "7 in order"))
	problem := NewToneCard(Refused, HBoxTop(12, NewIcon(assets.Danger, theme.ColorRefused, 28), Grow(VBox(8,
		VBox(0, NewText(Big, "Ollama listens on 0.0.0.0:11434"), NewParagraph(Body, "OLLAMA_HOST says so. Anyone on Home Wi-Fi can use Ollama without a key, around the gate. Let it listen on this machine only; teammates keep working through Paddock.")),
		HBox(8, NewButton(Primary, "Close the way around", "", nothing), NewButton(Outlined, "Show how to do it by hand", "", nothing), NewText(Small, "Restarts Ollama. 1 running request will stop."))))))
	look := NewToneCard(Attention, HBox(12, NewIcon(assets.Attention, theme.ColorAttention, 28),
		Grow(VBox(0, NewText(Strong, "One key never expires"), NewText(Muted, "n8n on the NAS. A key that ends by itself is one less to forget."))),
		NewButton(Outlined, "Let it expire in 90 days", "", nothing), NewButton(Outlined, "Leave it", "", nothing)))
	facts := VBox(0)
	for i, f := range [][3]string{
		{"Only encrypted connections are taken", "plain HTTP is off", "Change…"},
		{"No website may call", "3 origins were refused this week", "Show"},
		{"Ollama 0.17.4", "no known holes", "Check again"},
		{"Ollama's own expose switch is off", "and OLLAMA_ORIGINS is not set", "Show how"},
	} {
		b := NewButton(Plain, f[2], "", nothing).Small()
		if i == 1 {
			hovered(b)
		}
		if i == 2 {
			focused(b)
		}
		row := NewRow(f[0], theme.SizeFactRow, Padded(20, 0, 20, 0, HBox(12, Sized(28, 0, NewIcon(assets.Allowed, theme.ColorAllowed, 20)), NewText(Body, f[0]), NewText(Small, f[1]), Space(), b)), nothing)
		if i == 0 {
			row.First()
		}
		facts.Add(row)
	}
	return HBoxFull(0, nav(3, Refused, assets.Danger), Grow(NewGround(theme.ColorBackground, Padded(24, 24, 24, 24, VBox(16, head, problem, look, NewTableCard(facts),
		NewBanner(Attention, "", "The clipboard could not be cleared.", NewButton(Outlined, "Try again", "", nothing).Small()),
		NewBanner(Allowed, "", "The first request arrived."))))))
}

func statesBoard() fyne.CanvasObject {
	line := func(name string, o ...fyne.CanvasObject) fyne.CanvasObject {
		return HBox(16, append([]fyne.CanvasObject{Sized(110, 0, NewText(Small, name))}, o...)...)
	}
	onSwitch := func(s *Switch) *Switch { s.SetOn(true); return s }
	pending := func(s *Switch) *Switch { s.SetPending(true); return s }
	sw := func() *Switch { return NewSwitch("x", func(bool) {}) }
	chips := HBox(8)
	for n := 0; n <= theme.Chips; n++ {
		chips.Add(NewChip(string("?ABCDENQM"[n]), n, false))
	}
	for n := 0; n <= theme.Chips; n++ {
		chips.Add(NewChip(string("?ABCDENQM"[n]), n, true))
	}
	pillOn := NewPill("All", "", nothing)
	pillOn.SetOn(true)
	pillOn.SetCount("214")
	running := NewPill("Running", assets.Running, nothing)
	running.SetCount("2")
	fresh := NewPill("12 new", assets.Up, nothing)
	fresh.SetOn(true)
	field := func(p string) *Field { return NewField(p).Labelled("Name").Reserve() }
	typed := field("")
	typed.SetText("alice")
	typed.entry.FocusGained()
	wrong := field("")
	wrong.SetText("8o80")
	wrong.SetProblem("A port is a number from 1 to 65535.")
	off := field("nobody")
	off.Disable()
	chosen := NewChoice(assets.Person, "A person", "sends from their own tools", nothing)
	chosen.SetChosen(true)
	tabs := func(selected int, focus bool) *Tabs {
		t := NewTabs([]string{"curl", "Python", "JavaScript", "n8n", "Open WebUI"}, "More", 0, func(int) {})
		t.SetSelected(selected)
		if focus {
			t.FocusGained()
		}
		return t
	}
	copied := NewButton(Outlined, "Copied", assets.Allowed, nothing).Small()
	return NewGround(theme.ColorBackground, Padded(24, 24, 24, 24, VBox(14,
		line("primary", NewButton(Primary, "New key", assets.Plus, nothing), hovered(NewButton(Primary, "Hover", "", nothing)), focused(NewButton(Primary, "Focus", "", nothing)), disabled(NewButton(Primary, "Disabled", assets.Plus, nothing)), NewButton(Primary, "Make the key and go on", "", nothing).Large()),
		line("outlined", NewButton(Outlined, "Follow", assets.Running, nothing), hovered(NewButton(Outlined, "Hover", "", nothing)), focused(NewButton(Outlined, "Focus", "", nothing)), disabled(NewButton(Outlined, "Disabled", assets.Columns, nothing)), NewButton(Outlined, "", assets.Export, nothing).Named("Export"), NewButton(Outlined, "", assets.Close, nothing).Small()),
		line("small", NewButton(Outlined, "Copy", assets.Copy, nothing).Small(), copied, NewButton(Outlined, "Stop", assets.Stop, nothing).Small(), disabled(NewButton(Outlined, "Disabled", assets.Copy, nothing).Small()), NewButton(Primary, "Small", "", nothing).Small()),
		line("plain", NewButton(Plain, "Skip for now", "", nothing), hovered(NewButton(Plain, "Hover", "", nothing)), focused(NewButton(Plain, "Focus", "", nothing)), disabled(NewButton(Plain, "Disabled", "", nothing)), NewButton(Plain, "Open request log", "", nothing).Small().After(assets.Open)),
		line("switch", sw(), onSwitch(sw()), hovered(sw()), hovered(onSwitch(sw())), focused(onSwitch(sw())), focused(sw()), disabled(sw()), disabled(onSwitch(sw())), pending(sw()), pending(onSwitch(sw())),
			sw().Big(), onSwitch(sw().Big()), pending(onSwitch(sw().Big())), disabled(onSwitch(sw().Big()))),
		line("chips", chips),
		line("pills", pillOn, running, NewPill("Refused", assets.Refused, nothing), hovered(NewPill("Hover", assets.Attention, nothing)), focused(NewPill("Focus", "", nothing)), disabled(NewPill("Disabled", assets.Waiting, nothing)), fresh),
		line("tags", NewTag(Neutral, "", "Ctrl F"), NewTag(Allowed, assets.Allowed, "7 in order"), NewTag(Attention, assets.Attention, "1 to look at"), NewTag(Refused, assets.Danger, "1 problem"), NewTag(Waiting, assets.Waiting, "queue"), NewTag(Paused, assets.Paused, "suspended")),
		line("states", NewState(Allowed, "", "Done"), NewState(Allowed, assets.Running, "Running"), NewState(Waiting, "", "Next in line"), NewState(Refused, "", "No key"), NewState(Attention, "", "Ollama did not answer"), NewState(Paused, "", "Paused").InRow()),
		line("segments", NewSegments([]string{"Key", "Model", "Day"}, nil), focused(NewSegments([]string{"Auto", "Light", "Dark"}, nil)), disabled(NewSegments([]string{"Key", "Model"}, nil))),
		line("tabs", Sized(340, 0, tabs(1, true)), Sized(220, 0, tabs(0, false)), Sized(220, 0, tabs(4, false))),
		HBoxTop(16, Sized(220, 0, NewField("Filter: who:ben").WithIcon(assets.Search).Hinted("Ctrl F")), Sized(180, 0, typed), Sized(250, 0, wrong), Sized(150, 0, off)),
		HBox(16, Sized(290, 0, chosen), Sized(290, 0, NewChoice(assets.Program, "A program", "n8n, a script, a server", nothing)), Sized(270, 0, focused(NewChoice(assets.Person, "Focus", "has the keyboard", nothing)))),
		HBox(16, Sized(200, 0, NewText(Body, "a-name-that-is-much-too-long:70b").Shorten(CutEnd)), Sized(200, 0, NewText(Mono, "9F:3A:51:0C:7E:B2:44:10:9B:7D:22:6C").Shorten(CutMiddle)), Sized(100, 0, NewText(Cell, "1 377 447").Right()), NewText(Hero, "Who gets the first key?")),
		NewCard(NewEmptyState(assets.Log, "Nothing yet", "You are sharing. When a teammate sends something, it shows here within a tenth of a second, with who, what and how long.", HBox(8, NewButton(Primary, "Send a test request", "", nothing), NewButton(Outlined, "How to connect", "", nothing)))),
	)))
}

func fyneBoard() fyne.CanvasObject {
	entry := widget.NewEntry()
	entry.SetText("text in an entry")
	hint := widget.NewEntry()
	hint.SetPlaceHolder("placeholder")
	lit := widget.NewEntry()
	lit.SetText("with the keyboard")
	lit.FocusGained()
	off := widget.NewEntry()
	off.SetText("disabled")
	off.Disable()
	sel := widget.NewSelect([]string{"English", "Deutsch"}, nil)
	sel.SetSelected("English")
	check := widget.NewCheck("A check", nil)
	check.SetChecked(true)
	high := widget.NewButton("High", nil)
	high.Importance = widget.HighImportance
	highF := widget.NewButton("High focus", nil)
	highF.Importance = widget.HighImportance
	highF.FocusGained()
	danger := widget.NewButton("Danger", nil)
	danger.Importance = widget.DangerImportance
	slider := widget.NewSlider(0, 10)
	slider.SetValue(4)
	menu := widget.NewMenu(fyne.NewMenu("", fyne.NewMenuItem("15 minutes", nothing), fyne.NewMenuItem("1 hour", nothing), fyne.NewMenuItemSeparator(), &fyne.MenuItem{Label: "Until I resume", Checked: true}, &fyne.MenuItem{Label: "Disabled", Disabled: true}, &fyne.MenuItem{Label: "More", ChildMenu: fyne.NewMenu("", fyne.NewMenuItem("x", nothing))}))
	list := widget.NewList(func() int { return 30 }, func() fyne.CanvasObject { return widget.NewLabel("a row") }, func(widget.ListItemID, fyne.CanvasObject) {})
	list.Select(2)
	progress := widget.NewProgressBar()
	progress.SetValue(0.4)
	return NewGround(theme.ColorBackground, Padded(24, 24, 24, 24, HBoxTop(32,
		Sized(280, 0, VBox(8, entry, hint, lit, off, sel, disabled(widget.NewSelect(nil, nil)), check, widget.NewCheck("Another", nil), widget.NewRadioGroup([]string{"one", "two"}, nil), slider, progress)),
		Sized(200, 0, VBox(8, widget.NewButton("Button", nil), high, highF, danger, disabled(widget.NewButton("Disabled", nil)), widget.NewHyperlink("A link", nil), widget.NewLabel("A label"), Sized(0, 200, list))),
		menu)))
}

var boards = []board{
	{"share", fyne.NewSize(1100, 720), shareBoard},
	{"keys", fyne.NewSize(1100, 720), keysBoard},
	{"new-key", fyne.NewSize(1100, 720), newKeyBoard},
	{"safety", fyne.NewSize(1100, 720), safetyBoard},
	{"states", fyne.NewSize(1000, 1000), statesBoard},
	{"fyne", fyne.NewSize(820, 520), fyneBoard},
}

func shoot(t *testing.T, th fyne.Theme, scale float32, b board) image.Image {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(th)
	w := app.NewWindow(b.name)
	defer w.Close()
	w.SetPadded(false)
	w.Canvas().(software.WindowlessCanvas).SetScale(scale)
	w.SetContent(container.NewStack(b.make()))
	// Wrapped text knows its height after it was given a width, so a window
	// settles in a second pass, as it does on a screen.
	w.Resize(b.size.AddWidthHeight(1, 0))
	w.Resize(b.size)
	return w.Canvas().Capture()
}

// TestGallery draws every widget in every state. With PADDOCK_SHOTS naming a
// folder it leaves the pictures there to be looked at.
func TestGallery(t *testing.T) {
	dir := os.Getenv("PADDOCK_SHOTS")
	scales := map[string]float32{"1x": 1}
	if dir != "" {
		scales["2x"] = 2
	}
	modes := map[string]fyne.Theme{"light": theme.New(theme.Light), "dark": theme.New(theme.Dark), "large": theme.New(theme.Light).WithTextScale(1.5)}
	for mode, th := range modes {
		for at, scale := range scales {
			for _, b := range boards {
				if dir == "" && (mode == "large" || mode == "dark") != (b.name == "states") {
					continue // nobody looks: each board is drawn in one look, and one board in the others
				}
				img := shoot(t, th, scale, b)
				if got := img.Bounds().Size(); got != image.Pt(int(b.size.Width*scale), int(b.size.Height*scale)) {
					t.Errorf("%s %s %s is %v", b.name, mode, at, got)
				}
				if n := tints(img); n < 8 {
					t.Errorf("%s %s %s shows only %d colours", b.name, mode, at, n)
				}
				if dir != "" {
					save(t, filepath.Join(dir, b.name+"-"+mode+"-"+at+".png"), img)
				}
			}
		}
	}
}

func tints(img image.Image) int {
	seen := map[color.Color]bool{}
	for y := 0; y < img.Bounds().Dy(); y += 3 {
		for x := 0; x < img.Bounds().Dx(); x += 3 {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen)
}

func save(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}
