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

const url = "http://anna.local:11435"

// sharing is the state of the design's picture.
func sharing() share.State {
	used := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	return share.State{
		Phase: share.Sharing, Wanted: true, Window: true, Running: 1, Teammates: 3,
		Addresses: []share.Address{{Label: "Name", URL: url}, {Label: "IP address", URL: "http://192.168.1.5:11435"}},
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
	const copyKey = "Copy key for > alice = copy-key alice | bob   (suspended) = copy-key bob | old = copy-key old | never = copy-key never"
	for name, c := range map[string]struct {
		st   share.State
		want []string
	}{
		"as the design has it": {sharing(), []string{
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", "-",
			"Copy address   " + url + "   (not encrypted) = copy-address " + url, copyKey, "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-",
			"Open Paddock = open", "Quit Paddock = quit",
		}},
		"encrypted": {with(func(st *share.State) { st.Encrypted = true }, noKeys), []string{
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", "-",
			"Copy address   " + url + " = copy-address " + url, "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", "Quit Paddock = quit",
		}},
		"off, with nothing made yet": {with(off, noKeys), []string{
			"[○ Not sharing]", "Start sharing = start", "-", "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", "Quit Paddock = quit",
		}},
		"waiting for the port": {with(waitingFor(share.PortInUse), noKeys), []string{
			"[✕ Not sharing: the port is in use]", "Stop sharing = stop", "-", "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", "Quit Paddock = quit",
		}},
		"the demo": {with(demo, noKeys), []string{
			"[● Sharing the demo · 3 teammates · 1 running]", "Stop sharing = stop", "End the demo, use Ollama again = use-ollama", "-",
			"Copy address   " + url + "   (not encrypted) = copy-address " + url, "New key… = new-key", "-",
			"Allowed websites… = websites", "Request log… = open-log", "-", "Open Paddock = open", "Quit Paddock = quit",
		}},
		"a terminal that shares": {with(noWindow), []string{
			"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", "-",
			"[" + url + "   (not encrypted)]", "-", "Quit Paddock = quit",
		}},
		"a terminal that waits": {with(noWindow, waitingFor(share.NotAllowed)), []string{
			"[✕ Not sharing: the port is not allowed]", "Stop sharing = stop", "-", "Quit Paddock = quit",
		}},
	} {
		if got := lines(Menu(c.st)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// every is each combination of what a menu depends on.
func every(f func(name string, st share.State)) {
	for _, p := range []share.Phase{share.Off, share.Starting, share.Sharing, share.Waiting, share.Stopping} {
		for _, problem := range []share.Problem{share.NoProblem, share.PortInUse, share.NoSuchAddr, share.NotAllowed, share.NoNetwork, share.ListenFault} {
			for _, h := range []share.Health{share.Unknown, share.Answers, share.Silent, share.Stranger} {
				for n := range 32 {
					st := with(phase(p, n&1 != 0), trouble(problem), ollamaIs(h))
					if st.Ollama.Demo, st.Window = n&2 != 0, n&4 != 0; n&8 != 0 {
						st.Keys.List = nil
					}
					if n&16 != 0 {
						st.Addresses = nil
					}
					f(fmt.Sprintf("%s %s %s wanted=%v demo=%v window=%v", p, problem, h, st.Wanted, st.Ollama.Demo, st.Window), st)
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
		if seen[CopyAddress] > 0 && st.Phase != share.Sharing {
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
		if len(i.Sub) > 0 {
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
		if mark, has := marks[Shape(st)]; has != (Shape(st) != assets.TraySharing) || has && !strings.Contains(text, mark) {
			t.Errorf("%s: the icon is %s and the words are %q", name, Shape(st), text)
		}
	})
}
