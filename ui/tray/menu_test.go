package tray

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/assets"
	"paddock/keystore"
	"paddock/policy"
	"paddock/share"
)

// lines writes a menu as a panel shows it: "-" for a separator, brackets around
// what cannot be clicked, and what a click asks for.
func lines(items []Item) []string {
	var out []string
	for _, i := range items {
		line := i.Label
		switch {
		case i.Label == "":
			line = "-"
		case i.Disabled:
			line = "[" + line + "]"
		case len(i.Sub) > 0:
			line += " > " + strings.Join(lines(i.Sub), " | ")
		default:
			line += " = " + strings.TrimSpace(string(i.Action)+" "+i.Arg)
		}
		out = append(out, line)
	}
	return out
}

const url = "https://anna.local:11435"

// sharing is the state of the design's picture.
func sharing() share.State {
	used := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	return share.State{
		Phase: share.Sharing, Wanted: true, Window: true, Running: 1, Teammates: 3, Encrypted: true,
		Addresses: []share.Address{{Label: "Name", URL: url}, {Label: "IP address", URL: "https://192.168.1.5:11435"}},
		Ollama:    share.Ollama{Health: share.Answers, URL: "http://127.0.0.1:11434"},
		Keys: share.Keys{List: []keystore.Key{
			{Name: "never"}, {Name: "old", LastUsed: used}, {Name: "alice", LastUsed: used.Add(time.Hour)}, {Name: "bob", Suspended: true, LastUsed: used.Add(time.Minute)},
		}},
	}
}

func with(changes ...func(*share.State)) share.State {
	st := sharing()
	for _, c := range changes {
		c(&st)
	}
	return st
}

func off(st *share.State)      { st.Phase, st.Wanted, st.Running, st.Teammates = share.Off, false, 0, 0 }
func noWindow(st *share.State) { st.Window = false }
func noKeys(st *share.State)   { st.Keys.List = nil }
func demo(st *share.State)     { st.Ollama.Demo = true }
func paused(st *share.State)   { st.Phase, st.Running = share.Paused, 0 }
func panicked(st *share.State) { off(st); st.Panicked = true }
func around(st *share.State)   { st.Safety.Problems = 1 }

func waitingFor(p share.Problem) func(*share.State) {
	return func(st *share.State) { st.Phase, st.Problem, st.Running, st.Teammates = share.Waiting, p, 0, 0 }
}

func trouble(p share.Problem) func(*share.State) { return func(st *share.State) { st.Problem = p } }
func ollamaIs(h share.Health) func(*share.State) {
	return func(st *share.State) { st.Ollama.Health = h }
}

func phase(p share.Phase, wanted bool) func(*share.State) {
	return func(st *share.State) { st.Phase, st.Wanted = p, wanted }
}

func TestMenu(t *testing.T) {
	const (
		copyKey = "Copy key for > alice = copy-key alice | bob   (suspended) = copy-key bob | old = copy-key old | never = copy-key never"
		pause   = "Pause for > 15 minutes = pause 15m | 1 hour = pause 1h | until I resume = pause 0"
		cut     = "Panic: stop and cut everyone off = panic"
	)
	end := []string{"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", cut, "Quit Paddock = quit"}
	menu := func(lines ...string) []string { return append(lines, end...) }
	for name, c := range map[string]struct {
		st   share.State
		want []string
	}{
		"as the design has it": {sharing(), menu(
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", pause, "-",
			"Copy address   "+url+" = copy-address "+url, copyKey, "New key… = new-key", "-")},
		"plain HTTP beside it": {with(noKeys, func(st *share.State) {
			st.Encrypted, st.PlainAddresses = false, []share.Address{{URL: "http://anna.local:11435"}}
		}), menu(
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", pause, "-",
			"Copy address   "+url+" = copy-address "+url, "New key… = new-key", "-")},
		"plain HTTP alone": {with(noKeys, func(st *share.State) {
			st.Encrypted, st.Addresses = false, []share.Address{{URL: "http://anna.local:11435"}}
		}), menu(
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", pause, "-",
			"Copy address   http://anna.local:11435   (not encrypted) = copy-address http://anna.local:11435", "New key… = new-key", "-")},
		"off, with nothing made yet": {with(off, noKeys), menu(
			"[○ Not sharing]", "Start sharing = start", "-", "New key… = new-key", "-")},
		"paused": {with(paused, noKeys), menu(
			"[Ⅱ Paused until you resume]", "Stop sharing = stop", "Resume = resume", "-",
			"Copy address   "+url+" = copy-address "+url, "New key… = new-key", "-")},
		"waiting for the port": {with(waitingFor(share.PortInUse), noKeys), menu(
			"[✕ Not sharing: the port is in use]", "Stop sharing = stop", "-", "New key… = new-key", "-")},
		"the demo": {with(demo, noKeys), menu(
			"[● Sharing the demo · 3 teammates · 1 running]", "Stop sharing = stop", pause, "End the demo, use Ollama again = use-ollama", "-",
			"Copy address   "+url+" = copy-address "+url, "New key… = new-key", "-")},
		"a way around the gate": {with(around, noKeys), []string{
			"[● Sharing, but with 1 safety problem]", "Stop sharing = stop", pause, "-",
			"Copy address   " + url + " = copy-address " + url, "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "Safety check: 1 problem… = safety", "-", "Open Paddock = open", cut, "Quit Paddock = quit",
		}},
		"after a panic": {with(panicked, noKeys), []string{
			"[○ Panic: everyone is cut off]", "Start sharing = start", "-", "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", "Undo panic = undo-panic", "Quit Paddock = quit",
		}},
		"a terminal that shares": {with(noWindow), []string{
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", pause, "-",
			"[" + url + "]", "-", cut, "Quit Paddock = quit",
		}},
		"a terminal that waits": {with(noWindow, waitingFor(share.NotAllowed)), []string{
			"[✕ Not sharing: the port is not allowed]", "Stop sharing = stop", "-", cut, "Quit Paddock = quit",
		}},
		"a terminal with a way around": {with(noWindow, off, around), []string{
			"[○ Not sharing]", "Start sharing = start", "-", "[Safety check: 1 problem, see paddock check]", "-", cut, "Quit Paddock = quit",
		}},
	} {
		if got := lines(Menu(c.st)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// every is each combination of what a menu depends on.
func every(f func(name string, st share.State)) {
	for _, p := range []share.Phase{share.Off, share.Starting, share.Sharing, share.Waiting, share.Paused, share.Stopping} {
		for _, problem := range []share.Problem{
			share.NoProblem, share.PortInUse, share.NoSuchAddr, share.NotAllowed, share.NoNetwork, share.ListenFault,
			share.NoInterface, share.OtherNetwork, share.PublicNetwork, share.NoCertificate,
		} {
			for _, h := range []share.Health{share.Unknown, share.Answers, share.Silent, share.Stranger} {
				for n := range 128 {
					st := with(phase(p, n&1 != 0), trouble(problem), ollamaIs(h))
					if st.Ollama.Demo, st.Window = n&2 != 0, n&4 != 0; n&8 != 0 {
						st.Keys.List = nil
					}
					if n&16 != 0 {
						st.Addresses = nil
					}
					if st.Panicked = n&32 != 0; n&64 != 0 {
						st.Safety.Problems = 2
					}
					f(fmt.Sprintf("%s %s %s wanted=%v demo=%v window=%v panicked=%v %d", p, problem, h, st.Wanted, st.Ollama.Demo, st.Window, st.Panicked, st.Safety.Problems), st)
				}
			}
		}
	}
}

func TestEveryMenu(t *testing.T) {
	every(func(name string, st share.State) {
		items := Menu(st)
		first, second, last := items[0], items[1], items[len(items)-1]
		if !first.Disabled || first.Label == "" || first.Label != Status(st) {
			t.Errorf("%s: it begins with %+v", name, first)
		}
		if (second.Action == Stop) != st.Wanted || second.Action != Stop && second.Action != Start {
			t.Errorf("%s: the second entry is %+v", name, second)
		}
		if last.Action != Quit {
			t.Errorf("%s: it ends with %+v", name, last)
		}
		seen := map[Action]int{}
		for n, i := range items {
			seen[i.Action]++
			if i.Label == "" && (n == 0 || n == len(items)-1 || items[n-1].Label == "") {
				t.Errorf("%s: a separator at nothing: %q", name, lines(items))
			}
			if i.Action == None && !i.Disabled && i.Label != "" && len(i.Sub) == 0 {
				t.Errorf("%s: %q does nothing", name, i.Label)
			}
			for _, s := range i.Sub {
				seen[s.Action]++
			}
		}
		window := seen[CopyKey] + seen[CopyAddress] + seen[NewKey] + seen[OpenLog] + seen[Open]
		if !st.Window && window > 0 {
			t.Errorf("%s: there is no window, and the menu asks for one: %q", name, lines(items))
		}
		if st.Window && (seen[NewKey] != 1 || seen[OpenLog] != 1 || seen[Open] != 1) {
			t.Errorf("%s: %q", name, lines(items))
		}
		if (seen[UseOllama] == 1) != st.Ollama.Demo {
			t.Errorf("%s: %q", name, lines(items))
		}
		if seen[Pause] != 0 != (st.Phase == share.Sharing) || (seen[Resume] == 1) != (st.Phase == share.Paused) {
			t.Errorf("%s: %q", name, lines(items))
		}
		if (seen[UndoPanic] == 1) != st.Panicked || (seen[Panic] == 1) == st.Panicked {
			t.Errorf("%s: %q", name, lines(items))
		}
		if (seen[Safety] == 1) != (st.Window && st.Safety.Problems > 0) {
			t.Errorf("%s: %q", name, lines(items))
		}
		if seen[CopyAddress] > 0 && st.Phase != share.Sharing && st.Phase != share.Paused {
			t.Errorf("%s: an address where nobody listens", name)
		}
		if strings.ContainsAny(Status(st), "\n\t") || len([]rune(Status(st))) > 60 {
			t.Errorf("%s: %q", name, Status(st))
		}
	})
}

func TestManyKeys(t *testing.T) {
	st := sharing()
	for n := range 40 {
		st.Keys.List = append(st.Keys.List, keystore.Key{Name: fmt.Sprint("key ", n)})
	}
	before := slices.Clone(st.Keys.List)
	var sub []Item
	for _, i := range Menu(st) {
		if i.Label == "Copy key for" {
			sub = i.Sub
		}
	}
	if len(sub) != maxKeys+1 || sub[0].Arg != "alice" || sub[maxKeys].Label != "All 44 keys…" || sub[maxKeys].Action != Open {
		t.Errorf("%q", lines(sub))
	}
	if !slices.Equal(before, st.Keys.List) {
		t.Error("it has changed the state")
	}
}

func TestWebsites(t *testing.T) {
	last := func(w share.Websites) []string {
		for _, i := range Menu(with(func(st *share.State) { st.Websites = w })) {
			if strings.HasPrefix(i.Label, "Allowed websites") {
				var ticks []string
				for _, s := range i.Sub {
					if s.Choice {
						ticks = append(ticks, fmt.Sprint(s.Ticked))
					}
				}
				return append(lines([]Item{i}), strings.Join(ticks, " "))
			}
		}
		return nil
	}
	some := share.Websites{
		Presets: []share.PresetState{{Name: "local", Allowed: true}, {Name: "obsidian"}},
		List:    []policy.OriginRule{{Origin: "https://chat.example.com", Allowed: true}, {Origin: "app://obsidian.md"}},
	}
	want := []string{
		"Allowed websites > A teammate's own computer = block local | https://chat.example.com = block https://chat.example.com | " +
			"app://obsidian.md = allow app://obsidian.md | - | All websites… = websites", "true true false",
	}
	if got := last(some); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// With nothing to switch there is no empty submenu.
	none := share.Websites{Presets: []share.PresetState{{Name: "local"}}}
	if got := last(none); !slices.Equal(got, []string{"Allowed websites… = websites", ""}) {
		t.Errorf("%q", got)
	}
	for n := range 40 {
		some.List = append(some.List, policy.OriginRule{Origin: fmt.Sprintf("https://%d.%s.example", n, strings.Repeat("long", 40))})
	}
	for _, i := range Menu(with(func(st *share.State) { st.Websites = some })) {
		for _, s := range i.Sub {
			if len(i.Sub) > maxKeys+2 || len(s.Label) > maxOriginText {
				t.Errorf("%d entries, %q", len(i.Sub), s.Label)
			}
		}
	}
}

func TestStatusAndShape(t *testing.T) {
	for _, c := range []struct {
		st    share.State
		text  string
		shape assets.TrayShape
	}{
		{with(off), "○ Not sharing", assets.TrayOff},
		{with(phase(share.Starting, true)), "○ Starting…", assets.TrayOff},
		{with(phase(share.Stopping, false)), "○ Stopping…", assets.TraySharing},
		{sharing(), "● Sharing · 3 teammates · 1 running", assets.TraySharing},
		{with(func(st *share.State) { st.Teammates, st.Running = 1, 0 }), "● Sharing · 1 teammate · 0 running", assets.TraySharing},
		{with(ollamaIs(share.Unknown)), "● Sharing · 3 teammates · 1 running", assets.TraySharing},
		{with(ollamaIs(share.Silent)), "● Sharing, but Ollama does not answer", assets.TrayAttention},
		{with(ollamaIs(share.Stranger)), "● Sharing, but what answers is not Ollama", assets.TrayAttention},
		{with(demo, ollamaIs(share.Silent)), "● Sharing, but the demo does not work", assets.TrayAttention},
		{with(demo), "● Sharing the demo · 3 teammates · 1 running", assets.TraySharing},
		{with(func(st *share.State) { st.Waiting = 2 }), "● Sharing · 3 teammates · 1 running · 2 waiting", assets.TraySharing},
		{with(trouble(share.NoNetwork)), "● Sharing, but on no network", assets.TrayAttention},
		{with(trouble(share.NoSuchAddr)), "● Sharing, but on no network", assets.TrayAttention},
		{with(trouble(share.NoNetwork), demo), "● Sharing the demo, but on no network", assets.TrayAttention},
		{with(trouble(share.PortInUse)), "● Sharing, but not yet at the new address", assets.TrayAttention},
		{with(waitingFor(share.PortInUse)), "✕ Not sharing: the port is in use", assets.TrayBroken},
		{with(waitingFor(share.NoSuchAddr)), "✕ Not sharing: waiting for the network", assets.TrayBroken},
		{with(waitingFor(share.NotAllowed)), "✕ Not sharing: the port is not allowed", assets.TrayBroken},
		{with(waitingFor(share.ListenFault)), "✕ Not sharing: cannot listen", assets.TrayBroken},
		{with(waitingFor(share.NoInterface)), "✕ Not sharing: the network interface is gone", assets.TrayBroken},
		{with(waitingFor(share.OtherNetwork)), "✕ Not sharing: this is another network", assets.TrayBroken},
		{with(waitingFor(share.PublicNetwork)), "✕ Not sharing: only public addresses here", assets.TrayBroken},
		{with(waitingFor(share.NoCertificate)), "✕ Not sharing: no certificate to encrypt with", assets.TrayBroken},
		{with(waitingFor(share.NoCertificate), func(st *share.State) { st.Encryption.Fault = share.CertVault }), "✕ Not sharing: waiting for the keychain", assets.TrayBroken},
		{with(paused), "Ⅱ Paused until you resume", assets.TrayOff},
		{with(paused, around), "Ⅱ Paused until you resume", assets.TrayOff},
		{with(paused, func(st *share.State) { st.Running = 2 }), "Ⅱ Paused until you resume · 2 running", assets.TrayOff},
		{with(around), "● Sharing, but with 1 safety problem", assets.TrayAttention},
		{with(around, demo), "● Sharing the demo, but with 1 safety problem", assets.TrayAttention},
		{with(around, ollamaIs(share.Silent)), "● Sharing, but with 1 safety problem", assets.TrayAttention},
		{with(panicked), "○ Panic: everyone is cut off", assets.TrayOff},
		// Off is off, however Ollama is.
		{with(off, ollamaIs(share.Silent)), "○ Not sharing", assets.TrayOff},
	} {
		if text, shape := Status(c.st), Shape(c.st); text != c.text || shape != c.shape {
			t.Errorf("%s, %s: want %s, %s", text, shape, c.text, c.shape)
		}
	}
	// What the icon says, the words say too: never shape alone.
	every(func(name string, st share.State) {
		text := Status(st)
		marks := map[assets.TrayShape]string{assets.TrayOff: "○", assets.TrayBroken: "✕", assets.TrayAttention: "but"}
		if st.Phase == share.Paused {
			marks[assets.TrayOff] = "Ⅱ"
		}
		if mark, has := marks[Shape(st)]; has != (Shape(st) != assets.TraySharing) || has && !strings.Contains(text, mark) {
			t.Errorf("%s: the icon is %s and the words are %q", name, Shape(st), text)
		}
	})
}

func TestUntil(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.ParseInLocation(time.DateTime, text, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	now := at("2026-11-23 14:50:00")
	for _, c := range []struct {
		end  time.Time
		want string
	}{
		{time.Time{}, "until you resume"},
		{at("2026-11-23 15:04:59"), "until 15:04"},
		{at("2026-11-24 00:10:00"), "until Tue 00:10"},
		{at("2026-12-24 08:00:00"), "until 24 Dec 08:00"},
	} {
		if got := Until(c.end, now); got != c.want {
			t.Errorf("%v: %q, want %q", c.end, got, c.want)
		}
	}
	st := with(paused, func(st *share.State) { st.PausedUntil = at("2026-11-23 15:04:59") })
	if got := status(st, now); got != "Ⅱ Paused until 15:04" {
		t.Errorf("%q", got)
	}
}
