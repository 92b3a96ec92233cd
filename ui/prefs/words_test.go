//go:build !lite

package prefs

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
)

func TestEveryFaultOfTheCertificateHasWords(t *testing.T) {
	seen := map[string]share.CertFault{}
	for _, f := range []share.CertFault{
		share.CertVault, share.CertLost, share.CertDamaged, share.CertExpired, share.CertFiles, share.CertUnsaved, "new",
	} {
		words := CertWords(f, "the moon is in the way")
		if before, there := seen[words]; there || !strings.HasSuffix(words, ".") {
			t.Errorf("%s is said as %q, as %q is", f, words, before)
		}
		seen[words] = f
	}
	if got := CertWords(share.NoCertFault, ""); got != "" {
		t.Errorf("no fault is said as %q", got)
	}
}

func TestEveryTroubleOfTheVaultSaysWhatToDo(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []share.Trouble{share.VaultLocked, share.VaultMissing, share.VaultSilent, share.VaultUnkept, share.VaultSealed, share.VaultFault} {
		words := CertWords(share.CertVault, string(v))
		if seen[words] {
			t.Errorf("%s is said as another is: %q", v, words)
		}
		seen[words] = true
		// What is in force stays so when there is no new authority.
		none := NoNewWords(&share.AuthorityError{Fault: share.CertVault, Detail: string(v)})
		if strings.Contains(none, "nobody can connect") || !strings.Contains(none, "nothing has changed") {
			t.Errorf("%s: %q", v, none)
		}
	}
}

func TestAFaultOfTheOwnersFilesSaysWhatIsShownMeanwhile(t *testing.T) {
	end := time.Date(2026, 3, 3, 12, 0, 0, 0, time.Local)
	for want, x := range map[string]share.Encryption{
		"The last good certificate stays in use.":        {Fault: share.CertFiles, Own: true, Ready: true},
		"The one that Paddock makes is shown meanwhile.": {Fault: share.CertFiles, Ready: true},
		"clear both to use the one that Paddock makes":   {Fault: share.CertFiles},
		"It ended on 3 March 2026":                       {Fault: share.CertExpired, Own: true, NotAfter: end},
	} {
		if got := ownFaultWords(x); !strings.Contains(got, want) || !ownFault(x) {
			t.Errorf("%q, want %q in it", got, want)
		}
	}
	if ownFault(share.Encryption{Fault: share.CertExpired}) {
		t.Error("an authority that has ended is taken for the owner's own certificate")
	}
}

func TestWaitingForANetworkSaysWhatToDo(t *testing.T) {
	only := settings.Network{Interface: "wlan0", Subnet: netip.MustParsePrefix("10.1.0.0/16")}
	here := share.Networks{Here: "192.168.1.0/24 on wlan0"}
	for want, c := range map[string]struct {
		st share.State
		c  settings.Network
	}{
		"Sharing waits: eth7 is not here.":                                 {share.State{Wanted: true, Problem: share.NoInterface}, settings.Network{Interface: "eth7"}},
		"Sharing waits: this is another network, 192.168.1.0/24 on wlan0.": {share.State{Wanted: true, Problem: share.OtherNetwork, Networks: here}, only},
		"Sharing waits: this is a public network.":                         {share.State{Wanted: true, Problem: share.PublicNetwork}, settings.Network{}},
		"This computer is on no network":                                   {share.State{Wanted: true, Problem: share.NoNetwork}, settings.Network{}},
		"This computer is not there now":                                   {share.State{Networks: here}, only},
	} {
		if got := waitWords(c.st, c.c); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := waitWords(share.State{Wanted: true, Networks: here}, only); got != "" {
		t.Errorf("sharing as it should is said as %q", got)
	}
}

func TestAnnouncingIsSaidAsItIs(t *testing.T) {
	state := func(d share.Discovery) share.State {
		return share.State{Phase: share.Sharing, Networks: share.Networks{Discovery: d}}
	}
	for want, c := range map[string]struct {
		d    share.Discovery
		tone kit.Tone
	}{
		"":                   {share.Discovery{On: true, Name: "x"}, kit.Neutral}, // about to end
		"Not announced yet.": {share.Discovery{Wanted: true}, kit.Waiting},
		"Announced as “Paddock on anna” at anna.local.": {share.Discovery{Wanted: true, On: true, Name: "Paddock on anna", Target: "anna.local"}, kit.Allowed},
		"Another machine answers to anna.local as well, so this one is announced as paddock-1.local. Give one of them another name.": {
			share.Discovery{Wanted: true, On: true, Target: "paddock-1.local", Conflict: "anna.local"}, kit.Attention,
		},
		"Not announced. The system does not let Paddock use UDP port 5353.": {share.Discovery{Wanted: true, Problem: "port-denied"}, kit.Attention},
		"Not announced. Teammates need the address.":                        {share.Discovery{Wanted: true, Problem: "new"}, kit.Attention},
	} {
		if tone, got := discoveryWords(state(c.d)); got != want || tone != c.tone {
			t.Errorf("%q in tone %v, want %q in %v", got, tone, want, c.tone)
		}
	}
}
