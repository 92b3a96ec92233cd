//go:build !lite

package ui

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	facts "paddock/safety"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/keys"
	"paddock/ui/kit"
	"paddock/ui/prefs"
)

// prefs are the options of the settings on a stage.
func (s *stage) prefs(ctx context.Context) prefs.Options {
	return prefs.Options{
		Context: ctx, Keeper: s.keeper, Patience: keys.Patience, Do: s.do, Say: problem,
		Focus: func(f fyne.Focusable) { s.win.Canvas().Focus(f) },
	}
}

func (k *keeper) Set(name, value string) error { return k.note("set " + name + " " + value) }
func (k *keeper) Start()                       { _ = k.note("start") }
func (k *keeper) SetAtLogin(on bool) error     { return k.note(fmt.Sprintf("at login %v", on)) }
func (k *keeper) AtLogin() (bool, error)       { return k.atLogin, k.loginErr }

func (k *keeper) RotateAuthority(ctx context.Context) (share.Encryption, error) {
	return share.Encryption{}, k.wait(ctx, "rotate the authority")
}

func (k *keeper) Check(ctx context.Context) share.Safety {
	_ = k.wait(ctx, "check")
	return k.state().Safety
}

// evidence is of a laptop in the office where all is well.
func evidence() facts.Evidence {
	addr := netip.MustParseAddr
	return facts.Evidence{
		Now: now, OS: "linux", Home: "/home/anna/.config/paddock", Port: 11435, Listening: true,
		Upstream:    facts.Upstream{URL: "http://127.0.0.1:11434", Local: true, Answers: true, Version: "0.32.4"},
		Keys:        []facts.Key{{Name: "alice", Created: now.AddDate(0, 0, -10), LastUsed: now.Add(-time.Minute), Expires: now.AddDate(0, 0, 80)}},
		Vault:       facts.Vault{Kind: "keychain"},
		Certificate: facts.Certificate{Ready: true, NotBefore: now.AddDate(0, 0, -9), NotAfter: now.AddDate(0, 3, 0)},
		Network:     facts.Network{Name: "192.168.1.0/24 on wlan0"},
		Found: facts.Found{
			Probe:   facts.Probe{At: now.Add(-20 * time.Second), Port: 11434, Asked: []netip.Addr{addr("192.168.1.24"), addr("fd00::24")}},
			Servers: []facts.Server{{From: facts.FromProcess, PID: 812, Unit: "ollama.service", Readable: true}},
			OwnPort: facts.Listeners{Read: true},
			Files:   facts.Files{Read: true, Shut: true},
		},
	}
}

// checked is what the check finds of it.
func checked(change func(*facts.Evidence)) share.Safety {
	e := evidence()
	if change != nil {
		change(&e)
	}
	list := facts.Judge(e)
	return share.Safety{At: now.Add(-20 * time.Second), Facts: list, Problems: facts.Problems(list)}
}

// exposed has Ollama answer on the network.
func exposed(e *facts.Evidence) {
	e.Found.Probe.Answered = []facts.Answer{{Addr: netip.MustParseAddr("192.168.1.24"), Version: "0.32.4"}, {Addr: netip.MustParseAddr("fd00::24")}}
	e.Found.Servers[0].Host = "0.0.0.0:11434"
}

// forever has keys that never end.
func forever(names ...string) func(*facts.Evidence) {
	return func(e *facts.Evidence) {
		for _, n := range names {
			e.Keys = append(e.Keys, facts.Key{Name: n, Created: now.AddDate(0, 0, -3), LastUsed: now.Add(-time.Hour)})
		}
	}
}

func all(changes ...func(*facts.Evidence)) func(*facts.Evidence) {
	return func(e *facts.Evidence) {
		for _, c := range changes {
			c(e)
		}
	}
}

func plainHTTP(e *facts.Evidence) { e.AllowHTTP, e.PlainRequests = true, 12 }

const somePrint = "9F:3A:51:0C:7E:B2:14:88:AA:0D:33:71:C9:5B:E2:40:6D:19:F7:02:8C:BE:91:5A:27:64:03:DE:D8:44:C7:41"

// atHome gives a state the encryption and the networks of a good day.
func atHome(st *share.State) {
	st.Encrypted = true
	st.Encryption = share.Encryption{
		Ready: true, Required: true, Fingerprint: somePrint, NotAfter: now.AddDate(0, 3, 0), AuthorityNotAfter: now.AddDate(10, 0, 0),
		File: "/home/anna/.config/paddock/ca.pem",
	}
	st.Networks = share.Networks{
		Choice: settings.NetworkPrivate, Fits: true, Here: "192.168.1.0/24 on wlan0",
		List: []share.Network{
			{Interface: "wlan0", Subnet: "192.168.1.0/24", Address: "192.168.1.24", Kind: "private", Here: true},
			{Interface: "docker0", Subnet: "172.17.0.0/16", Address: "172.17.0.1", Kind: "private"},
		},
		Discovery: share.Discovery{Wanted: true, On: true, Name: "Paddock on anna-mbp", Target: "anna-mbp.local"},
	}
}

// roomScenes are the states of Safety and Settings that have to look right, and
// those of what is over every room.
func roomScenes() map[string]func(s *stage) {
	in := func(r room, changes ...func(*share.State)) func(s *stage) {
		return func(s *stage) {
			s.show(with(func(st *share.State) {
				atHome(st)
				for _, c := range changes {
					c(st)
				}
			}))
			s.board.enter(r)
			if r == roomSettings {
				s.answer() // whether the system starts the program
			}
		}
	}
	found := func(change func(*facts.Evidence)) func(s *stage) {
		return in(roomSafety, func(st *share.State) { st.Safety = checked(change) })
	}
	then := func(scene func(*stage), more func(s *stage)) func(s *stage) {
		return func(s *stage) {
			scene(s)
			more(s)
		}
	}
	chosen := func(s *stage, change func(*settings.Settings), st func(*share.State)) {
		change(&s.choices)
		s.show(with(func(x *share.State) { atHome(x); st(x) }))
	}
	long := strings.Repeat("wide name ", 6)
	return map[string]func(s *stage){
		"safety-good":    found(nil),
		"safety-problem": found(all(exposed, forever("n8n on the NAS"))),
		"safety-amber":   found(all(plainHTTP, forever("n8n on the NAS", "ben", long))),
		"safety-how": then(found(all(plainHTTP, forever("n8n on the NAS", "ben", long))), func(s *stage) {
			test.Tap(get[*kit.Button](s, "Show how"))
			s.unfold("One key never expires")
		}),
		"safety-old": then(found(all(exposed, func(e *facts.Evidence) { e.Upstream.Version = "0.3.0" })), func(s *stage) { test.Tap(get[*kit.Button](s, "Show how")) }),
		"safety-rows": then(found(nil), func(s *stage) {
			for _, f := range s.state.Safety.Facts[:6] {
				s.unfold(f.Title)
			}
		}),
		"safety-unknown": found(func(e *facts.Evidence) {
			e.Found = facts.Found{}
			e.Upstream.Answers, e.Upstream.Version = false, ""
			e.Certificate = facts.Certificate{}
		}),
		"safety-first":    in(roomSafety),
		"safety-checking": then(found(nil), func(s *stage) { s.keeper.hang = true; s.press("Check now") }),
		"safety-mended": then(found(all(exposed, forever("ben"))), func(s *stage) {
			s.show(with(func(st *share.State) { atHome(st); st.Safety = checked(nil) }))
		}),
		"safety-worse": then(found(nil), func(s *stage) {
			s.show(with(func(st *share.State) { atHome(st); st.Safety = checked(all(exposed, plainHTTP)) }))
		}),
		"safety-panic": in(roomSafety, off, func(st *share.State) { st.Panicked, st.Safety, st.Ollama.Demo = true, checked(nil), true }),
		"safety-windows": found(func(e *facts.Evidence) {
			e.OS, e.Found.App, e.Found.Servers = "windows", facts.App{Read: true, Expose: true, Browser: true}, nil
			e.Found.Firewall = facts.Firewall{Kind: "windows", On: true}
			e.Found.Probe.Answered = []facts.Answer{{Addr: netip.MustParseAddr("192.168.1.24")}}
		}),

		"settings": in(roomSettings),
		"settings-off": in(roomSettings, off, func(st *share.State) {
			st.Encryption = share.Encryption{Required: true}
			st.Networks.Discovery.On = false
		}),
		"settings-ask": then(in(roomSettings), func(s *stage) { test.Tap(get[*kit.Switch](s, "Allow plain HTTP")) }),
		"settings-plain": then(in(roomSettings), func(s *stage) {
			chosen(s, func(c *settings.Settings) { c.AllowHTTP = true }, func(st *share.State) { st.Encryption.Required = false })
		}),
		"settings-flag":   in(roomSettings, func(st *share.State) { st.Encryption.Required = false }),
		"settings-rotate": then(in(roomSettings), func(s *stage) { s.press("New certificate authority…") }),
		"settings-rotating": then(in(roomSettings), func(s *stage) {
			s.keeper.hang = true
			s.press("New certificate authority…")
			s.press("Make a new one")
		}),
		"settings-unrotated": then(in(roomSettings), func(s *stage) {
			s.keeper.err = &share.AuthorityError{Fault: share.CertVault, Detail: string(share.VaultLocked)}
			s.press("New certificate authority…")
			s.press("Make a new one")
			s.answer()
		}),
		"settings-locked": in(roomSettings, off, func(st *share.State) {
			st.Phase, st.Wanted, st.Problem = share.Waiting, true, share.NoCertificate
			st.Encryption.Ready, st.Encryption.Fault, st.Encryption.Detail = false, share.CertVault, string(share.VaultLocked)
		}),
		"settings-own": then(in(roomSettings), func(s *stage) {
			chosen(s, func(c *settings.Settings) {
				c.Certificate, c.CertificateKey = "/etc/ssl/anna.example.com.pem", "/etc/ssl/anna.example.com.key"
			},
				func(st *share.State) { st.Encryption.Own, st.Encryption.File = true, "" })
		}),
		"settings-files": then(in(roomSettings), func(s *stage) {
			chosen(s, func(c *settings.Settings) {
				c.Certificate, c.CertificateKey = "/etc/ssl/anna.example.com.pem", "/etc/ssl/anna.example.com.key"
			},
				func(st *share.State) {
					st.Encryption.Fault, st.Encryption.Detail = share.CertFiles, "/etc/ssl/anna.example.com.key: it is not the key of the certificate"
				})
		}),
		"settings-wrong": then(in(roomSettings), func(s *stage) {
			s.fill(certField, "gate.pem")
			s.press("Apply the certificate")
		}),
		"settings-only": in(roomSettings, off, func(st *share.State) {
			st.Phase, st.Wanted, st.Problem, st.Detail = share.Waiting, true, share.OtherNetwork, "10.1.0.0/16"
			st.Networks.Choice, st.Networks.Fits = "only:wlan0,10.1.0.0/16,aa:bb:cc:dd:ee:ff", false
			st.Networks.Discovery = share.Discovery{Wanted: true}
		}),
		"settings-gone": in(roomSettings, off, func(st *share.State) {
			st.Phase, st.Wanted, st.Problem, st.Detail = share.Waiting, true, share.NoInterface, "eth7"
			st.Networks.Choice, st.Networks.Fits = "interface:an interface with a long name in Windows "+long, false
			st.Networks.Discovery = share.Discovery{Wanted: true, Problem: "port-in-use"}
		}),
		"settings-conflict": in(roomSettings, func(st *share.State) {
			st.Networks.Discovery.Conflict, st.Networks.Discovery.Target = "anna-mbp.local", "paddock-3f2a.local"
		}),
		"settings-failed": func(s *stage) {
			s.keeper.loginErr = fmt.Errorf("reading /home/anna/.config/autostart/io.github.paddock.Paddock.desktop: it is not UTF-8")
			in(roomSettings)(s)
		},

		"share-panic":  in(roomShare, off, func(st *share.State) { st.Panicked = true }),
		"keys-panic":   in(roomKeys, off, func(st *share.State) { st.Panicked = true }),
		"share-unsafe": in(roomShare, func(st *share.State) { st.Safety = checked(exposed) }),
		"share-paused": in(roomShare, func(st *share.State) { st.Phase, st.PausedUntil = share.Paused, now.Add(time.Hour) }),
		"share-nocert": in(roomShare, off, func(st *share.State) {
			st.Phase, st.Wanted, st.Problem = share.Waiting, true, share.NoCertificate
			st.Encryption.Ready, st.Encryption.Fault, st.Encryption.Detail = false, share.CertVault, string(share.VaultLocked)
		}),
	}
}

const certField = "Certificate and its chain, a PEM file"

// unfold presses the row of a fact.
func (s *stage) unfold(title string) {
	s.t.Helper()
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		if r, ok := o.(*kit.Row); ok && strings.HasPrefix(r.AccessibilityLabel(), title+", ") {
			test.Tap(r)
		}
	})
}
