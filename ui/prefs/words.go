//go:build !lite

package prefs

import (
	"fmt"
	"strings"
	"time"

	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
)

const (
	maxName   = 40  // letters of an interface that are shown
	maxDetail = 240 // of the system's own words
)

func day(t time.Time) string { return t.Local().Format("2 January 2006") }

// sentence begins a text with a capital letter and ends it with a stop.
func sentence(s string) string {
	s = strings.TrimSuffix(requestlog.Clean(s, maxDetail), ".")
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	return s + "."
}

// authorityWords say what is known of the certificate authority.
func authorityWords(x share.Encryption) string {
	switch {
	case x.Own:
		return "Not in use: your own certificate is shown in its place."
	case x.Fingerprint == "":
		return "Paddock makes one when it shares for the first time. Teammates trust it once, by its file ca.pem."
	case x.Temporary:
		return "It is in memory only and ends with the program. After each start teammates have to trust a new one, by its file ca.pem."
	}
	return "Teammates trust it once, by its file ca.pem. Its private key is in the keychain. Good until " + day(x.AuthorityNotAfter) + "."
}

// CertWords say what is wrong with the certificate, and what to do; "" for
// nothing.
func CertWords(fault share.CertFault, detail string) string {
	switch fault {
	case share.NoCertFault:
		return ""
	case share.CertVault:
		return vaultWords(share.Trouble(detail), " Without the authority's private key nobody can connect encrypted. ")
	case share.CertLost:
		return "The keychain does not have the authority's private key any more. Make a new authority; teammates then have to fetch and trust the new ca.pem."
	case share.CertDamaged:
		return "The file ca.pem cannot be read: " + sentence(detail) + " Put a copy of it back, or make a new authority."
	case share.CertExpired:
		return "The certificate has expired. Make a new authority, or put a newer certificate in place of your own."
	case share.CertFiles:
		return "Your own certificate cannot be used: " + sentence(detail)
	case share.CertUnsaved:
		return "The file ca.pem cannot be written: " + sentence(detail) + " Mend that, then try again."
	}
	return "The certificate cannot be used: " + sentence(detail)
}

// NoNewWords say why there is no new authority, and what to do.
func NoNewWords(e *share.AuthorityError) string {
	const same = "There is no new authority, and nothing has changed. "
	if e.Fault == share.CertVault {
		return same + vaultWords(share.Trouble(e.Detail), " ")
	}
	return same + CertWords(e.Fault, e.Detail)
}

// vaultWords say what is wrong with the vault, what that means, and what to do.
func vaultWords(t share.Trouble, means string) string {
	switch t {
	case share.VaultLocked:
		return "The keychain is locked." + means + "Unlock it, then try again."
	case share.VaultMissing:
		return "This session has no keychain." + means + "Start one, or run Paddock with --vault file."
	case share.VaultSilent:
		return "The keychain did not answer in time." + means + "Perhaps it asks for a password in another window; answer it, then try again."
	case share.VaultUnkept:
		return "The keychain did not store the authority's private key. Perhaps its question was dismissed; try again, and allow it."
	case share.VaultSealed:
		return "The sealed file does not open." + means + "Name a file with its passphrase in PADDOCK_PASSPHRASE_FILE, and start Paddock again."
	case share.NoTrouble, share.VaultFault, share.IndexUnsaved:
	}
	return "The keychain answered with a fault." + means + "Try again in a while."
}

// ownFaultWords say what is wrong with the owner's own certificate, and what is
// shown meanwhile.
func ownFaultWords(x share.Encryption) string {
	if x.Fault == share.CertExpired {
		return "It ended on " + day(x.NotAfter) + ", and teammates' programs refuse to connect. Put a newer one into the same files, or clear both."
	}
	words := sentence(x.Detail)
	switch {
	case x.Own:
		return words + " The last good certificate stays in use. Mend the files, or clear both."
	case x.Ready:
		return words + " The one that Paddock makes is shown meanwhile. Mend the files, or clear both."
	}
	return words + " Mend the files, or clear both to use the one that Paddock makes."
}

// meansNetwork says what a choice means for who gets in.
func meansNetwork(c settings.Network) string {
	switch {
	case c.Here, c.Subnet.IsValid() && c.Gateway != "":
		return "On any other network sharing waits. This one is known by its addresses and by its router's hardware address."
	case c.Subnet.IsValid():
		return "On any other network sharing waits. The system does not tell the router's hardware address, so another network with the same addresses counts as this one."
	case c.Interface != "":
		return "On other interfaces nobody gets in. Without this one, sharing waits."
	}
	return "On a public network, where strangers are near, sharing waits."
}

// interfaceWords name the interface that is chosen, or would be.
func interfaceWords(n share.Networks, c settings.Network) string {
	if c.Interface != "" && !c.Subnet.IsValid() {
		for _, x := range n.List {
			if x.Interface == c.Interface {
				return requestlog.Clean(c.Interface, maxName) + ", " + x.Address
			}
		}
		return requestlog.Clean(c.Interface, maxName) + ", which is not here now"
	}
	return "whatever network it is on"
}

// onlyWords name the network that is chosen, or would be.
func onlyWords(n share.Networks, c settings.Network) string {
	if c.Subnet.IsValid() {
		words := c.Subnet.String() + " on " + requestlog.Clean(c.Interface, maxName)
		if !n.Fits {
			words += ", which is not here now"
		}
		return words
	}
	if n.Here == "" {
		return "this computer is on none now"
	}
	return requestlog.Clean(n.Here, maxName)
}

// waitWords say what sharing waits for because of the network, or would.
func waitWords(st share.State, c settings.Network) string {
	name := requestlog.Clean(c.Interface, maxName)
	switch {
	case !st.Wanted && !st.Networks.Fits && !c.All() && st.Networks.Here != "":
		return "This computer is not there now, so sharing would wait."
	case !st.Wanted:
		return ""
	}
	switch st.Problem {
	case share.NoInterface:
		return "Sharing waits: " + name + " is not here. It goes on by itself when it is back; or choose again."
	case share.OtherNetwork:
		here := "this is another network"
		if st.Networks.Here != "" {
			here += ", " + requestlog.Clean(st.Networks.Here, maxName)
		}
		return "Sharing waits: " + here + ". It goes on by itself on the one that you chose; or press “Only this network” for this one."
	case share.PublicNetwork:
		return "Sharing waits: this is a public network. It goes on by itself on a private one. To share here all the same, set share.listen to the address."
	case share.NoNetwork:
		return "This computer is on no network, so nobody can reach it. It works by itself when there is one."
	case share.NoProblem, share.PortInUse, share.NoSuchAddr, share.NotAllowed, share.ListenFault, share.NoCertificate:
	}
	return ""
}

// discoveryWords say what the network is told now.
func discoveryWords(st share.State) (kit.Tone, string) {
	d := st.Networks.Discovery
	name, target := requestlog.Clean(d.Name, 80), requestlog.Clean(d.Target, 80)
	switch {
	case !d.Wanted:
		return kit.Neutral, ""
	case d.On && d.Conflict != "":
		return kit.Attention, fmt.Sprintf("Another machine answers to %s as well, so this one is announced as %s. Give one of them another name.", requestlog.Clean(d.Conflict, 80), target)
	case d.On && d.Problem != "":
		return kit.Attention, fmt.Sprintf("Announced as “%s” at %s. %s", name, target, discoveryProblem(d.Problem))
	case d.On:
		return kit.Allowed, fmt.Sprintf("Announced as “%s” at %s.", name, target)
	case d.Problem != "":
		return kit.Attention, "Not announced. " + discoveryProblem(d.Problem)
	case st.Phase == share.Sharing:
		return kit.Waiting, "Not announced yet."
	}
	return kit.Neutral, ""
}

// discoveryProblem says in words what keeps the announcement from all or some.
func discoveryProblem(problem string) string {
	switch problem {
	case "no-network":
		return "No interface here carries such announcements."
	case "port-denied":
		return "The system does not let Paddock use UDP port 5353."
	case "port-in-use":
		return "Another program holds UDP port 5353 and does not share it."
	case "no-multicast":
		return "An interface does not take part in announcements."
	case "no-ipv6-multicast":
		return "It is announced by IPv4 only."
	case "not-sent":
		return "The system refuses to send it, as a firewall makes it do."
	case "name-taken":
		return "Others on the network have every name that Paddock tried."
	}
	return "Teammates need the address."
}
