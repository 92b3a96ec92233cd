//go:build !lite

package desk

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/tray"
)

// said is a state in words.
type said struct {
	title    string
	sentence string
	trouble  bool // needs the owner
	mend     mend // what the owner can do about it right here
}

// mend is a button that helps.
type mend int

const (
	noMend     mend = iota
	shareHere       // on the network around us, from now on
	tryAgain        // such as after a keychain was unlocked
	toSettings      // it is mended there
)

// words are on the button.
func (m mend) words() string {
	switch m {
	case shareHere:
		return "Share on this network instead"
	case tryAgain:
		return "Try again"
	case toSettings:
		return "Open Settings"
	case noMend:
	}
	return ""
}

// sharing says how far sharing has come, and what to do where it does not work.
func sharing(st share.State, now time.Time) said {
	switch st.Phase {
	case share.Off:
		if st.Panicked {
			return said{title: "Off", sentence: "Nobody else can use your Ollama, and the keys from before the panic are suspended."}
		}
		return said{title: "Off", sentence: "Nobody else can use your Ollama. Switch it on, and everybody with a key can."}
	case share.Starting:
		if st.Encryption.Required && !st.Encryption.Ready {
			return said{title: "Starting…", sentence: "Getting the certificate ready. The keychain may ask for your password."}
		}
		return said{title: "Starting…", sentence: "Opening the gate at " + st.Listen + "."}
	case share.Stopping:
		return said{title: "Stopping…", sentence: "New requests are refused. Those that run may finish within five seconds."}
	case share.Waiting:
		sentence, m := waiting(st)
		return said{"Waiting", sentence, true, m}
	case share.Paused:
		return said{
			title:    "Paused " + tray.Until(st.PausedUntil, now),
			sentence: "Teammates with a key are told to come again later. Requests that run may finish.",
		}
	case share.Sharing:
	}
	switch {
	case st.Problem == share.NoNetwork:
		return said{"Sharing, but unreachable", "This machine is on no private network, so nobody can reach it. Join one, and it works by itself.", true, noMend}
	case st.Panicked:
		return said{"Sharing", "The keys from before the panic are suspended: teammates need new ones, or undo the panic.", true, noMend}
	case st.Ollama.Demo:
		return said{title: "Sharing the demo", sentence: "Teammates on this network get made-up answers, each with their own key."}
	}
	return said{title: "Sharing", sentence: "Teammates on this network can use your Ollama, each with their own key."}
}

func waiting(st share.State) (sentence string, m mend) {
	switch st.Problem {
	case share.PortInUse:
		who := "another program"
		if st.Detail != "" {
			who = st.Detail
		}
		return fmt.Sprintf("%s is in use by %s. Sharing starts by itself when it is free; end that program, or take another port.", portOf(st.Listen), who), noMend
	case share.NoSuchAddr:
		return fmt.Sprintf("This machine has no address %s now. Sharing starts by itself when it is back.", st.Detail), noMend
	case share.NotAllowed:
		return fmt.Sprintf("The system does not let Paddock listen on %s. Take a port above 1023.", st.Listen), noMend
	case share.ListenFault:
		return fmt.Sprintf("Paddock cannot listen on %s: %s. It tries again every two seconds.", st.Listen, st.Detail), noMend
	case share.NoInterface:
		text := fmt.Sprintf("The network interface %s that you chose is not there. Sharing starts by itself when it is back", st.Detail)
		if st.Networks.Here == "" {
			return text + "; or choose another one in Settings.", toSettings
		}
		return text + ". This machine is on " + network(st.Networks.Here) + " now.", shareHere
	case share.OtherNetwork:
		return otherNetwork(st)
	case share.PublicNetwork:
		return "This machine has only public addresses here, which all of the internet could call. Sharing starts by itself on a private network; " +
			"to share here all the same, set one of the addresses to listen on in Settings.", toSettings
	case share.NoCertificate:
		return certificate(st.Encryption)
	case share.NoNetwork, share.NoProblem:
	}
	return "Sharing starts by itself when the cause has gone.", noMend
}

// otherNetwork says that this is not the network that was chosen.
func otherNetwork(st share.State) (sentence string, m mend) {
	here := st.Networks.Here
	m = shareHere
	if here == "" {
		m = noMend
	}
	switch {
	case st.Detail == "":
		return "You chose to share on one network only, and this machine is on none that it could remember. Join that network, and sharing starts by itself.", m
	case here == "":
		return fmt.Sprintf("You chose to share on %s only. Sharing starts by itself when this machine is there.", st.Detail), m
	case strings.HasPrefix(here, st.Detail+" "):
		return fmt.Sprintf("This network has the addresses of the one that you chose, %s, but nothing proves that it is that one: its router is another, or cannot be asked.", st.Detail), m
	}
	return fmt.Sprintf("You chose to share on %s only, and this machine is on %s. Sharing starts by itself when you are back.", st.Detail, network(here)), m
}

// network writes "192.168.1.0/24 on en0" so that it fits into a sentence.
func network(here string) string {
	if subnet, name, two := strings.Cut(here, " on "); two {
		return subnet + " (" + name + ")"
	}
	return here
}

// certificate says why the gate cannot prove itself as it should.
func certificate(e share.Encryption) (sentence string, m mend) {
	detail := strings.TrimSuffix(requestlog.Clean(e.Detail, 200), ".")
	switch e.Fault {
	case share.CertVault:
		if share.Trouble(e.Detail) == share.VaultSealed {
			return "The private key of the gate's certificate lies in a sealed file that does not open. Name a file with its passphrase in PADDOCK_PASSPHRASE_FILE, and start Paddock again.", tryAgain
		}
		return "The private key of the gate's certificate lies in the keychain. " + keychain(share.Trouble(e.Detail)), tryAgain
	case share.CertLost:
		return "The keychain does not have the private key of the gate's certificate any more. Make a new one in Settings; every teammate has to trust it anew.", toSettings
	case share.CertDamaged:
		return "The gate's certificate cannot be read: " + detail + ". Put the file back, or make a new one in Settings.", toSettings
	case share.CertExpired:
		if e.Own {
			return "Your own certificate has expired. Renew its files, and they are read by themselves; or let Paddock make one, in Settings.", toSettings
		}
		return "The ten years of the gate's certificate are over. Make a new one in Settings; every teammate has to trust it anew.", toSettings
	case share.CertFiles:
		return "Your own certificate cannot be used: " + detail + ". Mend its files, and they are read by themselves; or change them in Settings.", toSettings
	case share.CertUnsaved:
		return "The gate's certificate cannot be written to disk: " + detail + ". Make room, or let Paddock write there; then try again.", tryAgain
	case share.NoCertFault:
	}
	return "There is no certificate to encrypt with yet. Sharing starts by itself when it is made.", noMend
}

// keychain says what keeps a keychain from giving what lies in it.
func keychain(t share.Trouble) string {
	switch t {
	case share.VaultLocked:
		return "It is locked: unlock it, then try again."
	case share.VaultMissing:
		return "This session has none: start one, then try again."
	case share.VaultSilent:
		return "It did not answer in time. Perhaps it asks for a password in another window; answer it, then try again."
	case share.VaultUnkept:
		return "It did not keep it. Perhaps its question was dismissed; try again, and allow it."
	case share.IndexUnsaved:
		return "The list of keys cannot be written to disk. Make room, then try again."
	case share.NoTrouble, share.VaultSealed, share.VaultFault:
	}
	return "It answered with a fault. Try again in a while."
}

// reachedBy says who can reach the addresses and whether others can read along,
// where nothing is wrong with that.
func reachedBy(st share.State) string {
	if !encrypted(st) {
		return ""
	}
	text := "Encrypted. "
	switch {
	case onlyHere(st.Addresses):
		text += "Only programs on this machine can reach it."
	case st.Networks.Here == "":
		text += "Other computers on this network can reach these addresses."
	default:
		text += "Other computers on " + network(st.Networks.Here) + " can reach these addresses."
	}
	if st.Encryption.Temporary {
		text += " The certificate ends with the program, as this session has no keychain for its private key; teammates have to trust the next one anew."
	}
	return text
}

// encrypted says whether the addresses are of the kind that nobody reads along.
func encrypted(st share.State) bool { return strings.HasPrefix(st.Address(), "https:") }

func onlyHere(addresses []share.Address) bool {
	for _, a := range addresses {
		if addressLabel(a.URL) != localOnly {
			return false
		}
	}
	return len(addresses) > 0
}

// inClear says what plain HTTP means, or "" while it is refused.
func inClear(st share.State) string {
	switch {
	case st.Encrypted || len(st.Addresses) == 0:
		return ""
	case !encrypted(st):
		return unencrypted
	}
	return "The same addresses with http:// work too, and are not encrypted: anyone who listens in on this network can read the keys, prompts and answers of those who use them."
}

// unencrypted stands where an address for plain HTTP is all there is.
const unencrypted = "Not encrypted: anyone who listens in on this network can read keys, prompts and answers. Share only on networks you trust."

func portOf(listen string) string {
	if _, port, err := net.SplitHostPort(listen); err == nil {
		return "Port " + port
	}
	return listen
}

// otherPort is an address to listen on that avoids the present one, or "" when
// another port would not help.
func otherPort(st share.State) string {
	host, text, err := net.SplitHostPort(st.Listen)
	port, bad := strconv.Atoi(text)
	if err != nil || bad != nil || st.Phase != share.Waiting {
		return ""
	}
	switch st.Problem {
	case share.PortInUse:
		if port++; port > 65535 {
			port = 11436
		}
	case share.NotAllowed:
		port = 11435
	case share.NoSuchAddr, share.NoNetwork, share.ListenFault, share.NoProblem,
		share.NoInterface, share.OtherNetwork, share.PublicNetwork, share.NoCertificate:
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// addressLabel says what kind of address a URL holds.
func addressLabel(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return "Address"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case u.Hostname() == "localhost", err == nil && ip.IsLoopback():
		return localOnly
	case err == nil:
		return "IP address"
	}
	return "Name"
}

// localOnly labels an address that no other computer reaches.
const localOnly = "Local only"

// ollama says how Ollama is.
func ollama(o share.Ollama) said {
	where := place(o.URL)
	switch {
	case o.Detail == share.DetailOwnUpstream:
		return said{"Ollama is not where Paddock looks", fmt.Sprintf("The address %s leads back to Paddock itself. Set share.ollama, or OLLAMA_HOST, to where Ollama is.", o.URL), true, noMend}
	case o.Demo:
		return said{title: "Built-in demo", sentence: "stands in for Ollama"}
	}
	switch o.Health {
	case share.Answers:
		return said{title: "Ollama " + o.Version, sentence: "answers " + where}
	case share.Silent:
		if o.URL == "" {
			return said{"Ollama's address cannot be read", o.Detail, true, noMend}
		}
		return said{"Ollama does not answer", fmt.Sprintf("Nothing answers at %s. Start Ollama, and Paddock notices by itself; or try the built-in demo, which needs nothing.", host(o.URL)), true, noMend}
	case share.Stranger:
		return said{"This is not Ollama", fmt.Sprintf("Something else answers at %s. Start Ollama there, or set share.ollama to where it is.", host(o.URL)), true, noMend}
	case share.Unknown:
	}
	return said{title: "Asking Ollama…", sentence: where}
}

// lastHeal is the newest one.
func lastHeal(heals []share.Heal) (newest share.Heal, ok bool) {
	for _, h := range heals {
		if !ok || h.At.After(newest.At) {
			newest, ok = h, true
		}
	}
	return newest, ok
}

// healed says what became of the model that stopped answering last.
func healed(heals []share.Heal, now time.Time) said {
	h, _ := lastHeal(heals)
	model := requestlog.Clean(strings.TrimSuffix(h.Model, ":latest"), 60)
	at := h.At.Local().Format("15:04")
	if h.At.Local().YearDay() != now.Local().YearDay() {
		at = h.At.Local().Format("15:04 on Monday")
	}
	if h.Fault != "" {
		return said{sentence: fmt.Sprintf("%s has stopped answering, and Paddock could not restart it at %s: %s. Restarting Ollama helps.",
			model, at, requestlog.Clean(strings.TrimSuffix(h.Fault, "."), 120)), trouble: true}
	}
	text := fmt.Sprintf("%s had stopped answering; Paddock restarted it at %s.", model, at)
	times := 0
	for _, x := range heals {
		if x.Model == h.Model && x.Fault == "" {
			times++
		}
	}
	if times > 1 {
		text += fmt.Sprintf(" It has happened %d times lately.", times)
	}
	return said{sentence: text}
}

// place says an address the way it is understood best.
func place(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return "at " + link
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) && u.Port() == "11434" {
		return "on this machine"
	}
	return "at " + requestlog.Clean(u.Host, 40)
}

func host(link string) string {
	if u, err := url.Parse(link); err == nil && u.Host != "" {
		return u.Host
	}
	return link
}

// list joins names with the dot that separates facts.
func list(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = strings.TrimSuffix(n, ":latest")
	}
	return strings.Join(short, " · ")
}
