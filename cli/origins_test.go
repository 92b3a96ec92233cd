package cli_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/share"
)

const site = "https://app.example.com"

// page asks as a page of a website does.
func page(t *testing.T, url, key, origin string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/tags", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Origin", origin)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func (d *desk) websites(args ...string) share.Websites {
	d.t.Helper()
	var sites share.Websites
	if err := json.Unmarshal([]byte(d.must(append(args, "--json")...)), &sites); err != nil {
		d.t.Fatal(err)
	}
	return sites
}

func TestOrigins(t *testing.T) {
	const presets = "Programs that are no web pages are not affected by this list.\n\n" +
		"PRESET      SWITCH  MEANING\n" +
		"local       off     A teammate's own computer: pages that run there at localhost, on any port, such as a web app that they develop\n" +
		"extensions  off     Browser extensions: every extension that a teammate has in their browser, not only those you know\n" +
		"obsidian    off     Obsidian: the app and its plugins, on computers and phones\n" +
		"vscode      off     Visual Studio Code: the panels of its extensions\n" +
		"tauri       off     Desktop apps built with Tauri: programs whose windows are web pages inside\n"
	for _, mode := range []string{"on the file", "through a running instance"} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t)
			if mode != "on the file" {
				d.start("share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1").see("Ctrl-C ends it")
			}
			d.says(0, presets, "", "origins", "list")
			d.says(0, "", "pages of https://app.example.com may use the gate\n", "origins", "allow", "HTTPS://App.Example.com:443/")
			d.says(0, "", "pages of http://localhost:3000 are refused\n", "origins", "block", "http://localhost:3000")
			d.says(0, "", "tauri is on: tauri://localhost, http://tauri.localhost, https://tauri.localhost\n", "origins", "allow", " Tauri")
			d.says(0, strings.Replace(presets, "tauri       off", "tauri       on ", 1)+"\nORIGIN                   SWITCH\nhttps://app.example.com  on\nhttp://localhost:3000    off\n", "", "origins", "list")
			now := d.websites("origins", "list")
			if want := []policy.OriginRule{{Origin: site, Allowed: true}, {Origin: "http://localhost:3000"}}; !reflect.DeepEqual(now.List, want) ||
				len(now.Presets) != 5 || !now.Presets[4].Allowed || now.Presets[0].Allowed || now.Refused == nil {
				t.Errorf("origins list --json: %+v", now)
			}
			d.says(0, "", "tauri is off\n", "origins", "block", "tauri")
			d.says(0, "", "tauri is off\n", "origins", "remove", "tauri")
			d.says(0, "", "tauri is off\n", "origins", "remove", "TAURI") // it is off already
			if now := d.websites("origins", "remove", "local"); len(now.Presets) != 5 || now.Presets[0].Allowed {
				t.Errorf("origins remove --json: %+v", now)
			}
			if now := d.websites("origins", "block", site); len(now.List) != 2 || now.List[0].Allowed {
				t.Errorf("origins block --json: %+v", now)
			}
			d.says(0, "", "https://app.example.com is not in the list any more\n", "origins", "remove", site)
			d.says(1, "", "paddock: https://app.example.com is not in the list; `"+d.prefix()+" origins list` shows it\n", "origins", "remove", site)
			d.says(0, "", "http://localhost:3000 is not in the list any more\n", "origins", "remove", "http://localhost:3000")
			d.says(0, presets, "", "origins", "list")
		})
	}
}

// From the refusal to the yes, as an owner does it.
func TestARefusedWebsite(t *testing.T) {
	d := newDesk(t)
	show, url := d.share()
	key := strings.TrimSpace(d.must("keys", "add", "alice"))
	for range 2 {
		if code := page(t, url, key, site); code != http.StatusForbidden {
			t.Errorf("before: %d", code)
		}
	}
	show.see(`alice .* Website not allowed +https://app\.example\.com  `)
	d.says(0, "~\n\nREFUSED LATELY           TIMES  LAST\nhttps://app.example.com  2      now\n`paddock --home \\S+ origins allow https://app.example.com` lets it in\\.\n$", "", "origins", "list")
	if out := d.must("__complete", "origins", "allow", ""); !strings.Contains(out, site+"\trefused 2 times\n") {
		t.Errorf("Tab: %s", out)
	}
	d.must("origins", "allow", site)
	if code := page(t, url, key, site); code != http.StatusOK {
		t.Errorf("allowed: %d", code)
	}
	if now := d.websites("origins", "list"); len(now.Refused) != 0 {
		t.Errorf("it is still among the refused: %+v", now.Refused)
	}
	for command, offered := range map[string]bool{"allow": false, "block": true, "remove": true} {
		if out := d.must("__complete", "origins", command, ""); strings.Contains(out, site) != offered {
			t.Errorf("Tab after %s: %s", command, out)
		}
	}
	d.must("origins", "block", site)
	if code := page(t, url, key, site); code != http.StatusForbidden {
		t.Errorf("blocked: %d", code)
	}
	if code := get(t, url, key); code != http.StatusOK {
		t.Errorf("a program: %d", code)
	}
	show.end()
	d.says(0, "~ORIGIN                   SWITCH\nhttps://app.example.com  off\n$", "", "origins", "list")
}

// A damaged list closes everything rather than opening it.
func TestADamagedListOfWebsites(t *testing.T) {
	d := newDesk(t)
	d.write("settings.json", `{"version":1,"origins":["https://app.example.com"]}`)
	for _, args := range [][]string{{"share", "--demo"}, {"origins", "list"}, {"origins", "allow", site}} {
		d.says(1, "", "~^paddock: .*settings.json is damaged and was left as it is: origins cannot be ", args...)
	}
}
