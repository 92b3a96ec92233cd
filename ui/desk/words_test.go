//go:build !lite

package desk

import (
	"strings"
	"testing"
	"time"

	"paddock/share"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)

func TestEveryPhaseHasWords(t *testing.T) {
	for _, x := range []struct {
		st      share.State
		title   string
		says    string
		trouble bool
	}{
		{share.State{Phase: share.Off}, "Off", "Nobody else can use your Ollama", false},
		{share.State{Phase: share.Starting, Listen: ":11435"}, "Starting…", ":11435", false},
		{share.State{Phase: share.Off, Panicked: true}, "Off", "from before the panic", false},
		{share.State{Phase: share.Starting, Encryption: share.Encryption{Required: true}}, "Starting…", "The keychain may ask", false},
		{share.State{Phase: share.Starting, Encryption: share.Encryption{Required: true, Ready: true}, Listen: ":11435"}, "Starting…", ":11435", false},
		{share.State{Phase: share.Paused, PausedUntil: noon.Add(184 * time.Minute)}, "Paused until 15:04", "come again later", false},
		{share.State{Phase: share.Paused}, "Paused until you resume", "Requests that run may finish", false},
		{share.State{Phase: share.Sharing, Panicked: true}, "Sharing", "undo the panic", true},
		{share.State{Phase: share.Stopping}, "Stopping…", "five seconds", false},
		{share.State{Phase: share.Sharing}, "Sharing", "each with their own key", false},
		{share.State{Phase: share.Sharing, Ollama: share.Ollama{Demo: true}}, "Sharing the demo", "made-up answers", false},
		{share.State{Phase: share.Sharing, Problem: share.NoNetwork}, "Sharing, but unreachable", "no private network", true},
		{share.State{Phase: share.Waiting, Problem: share.PortInUse, Listen: ":11435"}, "Waiting", "Port 11435 is in use by another program", true},
		{share.State{Phase: share.Waiting, Problem: share.PortInUse, Listen: ":11435", Detail: "nginx"}, "Waiting", "by nginx", true},
		{share.State{Phase: share.Waiting, Problem: share.NoSuchAddr, Detail: "10.0.0.9"}, "Waiting", "no address 10.0.0.9", true},
		{share.State{Phase: share.Waiting, Problem: share.NotAllowed, Listen: ":80"}, "Waiting", "above 1023", true},
		{share.State{Phase: share.Waiting, Problem: share.ListenFault, Listen: ":1", Detail: "too many files"}, "Waiting", "too many files", true},
		{share.State{Phase: share.Waiting}, "Waiting", "by itself", true},
	} {
		got := sharing(x.st, noon)
		if got.title != x.title || !strings.Contains(got.sentence, x.says) || got.trouble != x.trouble {
			t.Errorf("%s, %s: %+v", x.st.Phase, x.st.Problem, got)
		}
	}
}

func TestEveryProblemSaysWhatToDo(t *testing.T) {
	const here = "10.1.2.0/24 on wlan0"
	for _, x := range []struct {
		problem      share.Problem
		detail, here string
		says         string
		mend         mend
	}{
		{share.NoInterface, "en7", here, "en7 that you chose is not there. Sharing starts by itself when it is back. This machine is on 10.1.2.0/24 (wlan0) now.", shareHere},
		{share.NoInterface, "en7", "", "or choose another one in Settings", toSettings},
		{share.OtherNetwork, "192.168.1.0/24", here, "You chose to share on 192.168.1.0/24 only, and this machine is on 10.1.2.0/24 (wlan0)", shareHere},
		{share.OtherNetwork, "10.1.2.0/24", here, "nothing proves that it is that one", shareHere},
		{share.OtherNetwork, "192.168.1.0/24", "", "starts by itself when this machine is there", noMend},
		{share.OtherNetwork, "", "", "on none that it could remember", noMend},
		{share.PublicNetwork, "", "", "only public addresses", toSettings},
		{share.NoCertificate, "", "", "no certificate to encrypt with yet", noMend},
	} {
		st := share.State{Phase: share.Waiting, Problem: x.problem, Detail: x.detail, Networks: share.Networks{Here: x.here}}
		got := sharing(st, noon)
		if got.title != "Waiting" || !strings.Contains(got.sentence, x.says) || got.mend != x.mend || !got.trouble {
			t.Errorf("%s of %q: %+v", x.problem, x.detail, got)
		}
	}
}

func TestEveryFaultOfTheCertificateIsSaidWithItsMend(t *testing.T) {
	for _, x := range []struct {
		e    share.Encryption
		says string
		mend mend
	}{
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultLocked)}, "unlock it, then try again", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultMissing)}, "This session has none", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultSilent)}, "in another window", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultUnkept)}, "allow it", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultSealed)}, "PADDOCK_PASSPHRASE_FILE", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.IndexUnsaved)}, "Make room", tryAgain},
		{share.Encryption{Fault: share.CertVault, Detail: string(share.VaultFault)}, "answered with a fault", tryAgain},
		{share.Encryption{Fault: share.CertLost}, "trust it anew", toSettings},
		{share.Encryption{Fault: share.CertDamaged, Detail: "ca.pem: no PEM."}, "cannot be read: ca.pem: no PEM. Put", toSettings},
		{share.Encryption{Fault: share.CertExpired}, "ten years", toSettings},
		{share.Encryption{Fault: share.CertExpired, Own: true}, "Your own certificate has expired", toSettings},
		{share.Encryption{Fault: share.CertFiles, Detail: "no such file"}, "cannot be used: no such file. Mend", toSettings},
		{share.Encryption{Fault: share.CertUnsaved, Detail: "the disk is full"}, "cannot be written to disk: the disk is full. Make", tryAgain},
	} {
		got, mend := certificate(x.e)
		if !strings.Contains(got, x.says) || mend != x.mend || mend.words() == "" || strings.Contains(got, "..") {
			t.Errorf("%+v: %q, %d", x.e, got, mend)
		}
	}
}

func TestWhoCanReachTheGateAndReadAlong(t *testing.T) {
	https, plain := []share.Address{{URL: "https://anna.local:11435"}}, []share.Address{{URL: "http://anna.local:11435"}}
	home := share.Networks{Here: "192.168.1.0/24 on en0"}
	for name, x := range map[string]struct {
		st             share.State
		reach, inClear string
	}{
		"encrypted":  {share.State{Encrypted: true, Addresses: https, Networks: home}, "Encrypted. Other computers on 192.168.1.0/24 (en0) can reach these addresses.", ""},
		"of no name": {share.State{Encrypted: true, Addresses: https}, "Encrypted. Other computers on this network can reach these addresses.", ""},
		"here only":  {share.State{Encrypted: true, Addresses: []share.Address{{URL: "https://127.0.0.1:11435"}, {URL: "https://localhost:11435"}}, Networks: home}, "Encrypted. Only programs on this machine can reach it.", ""},
		"both":       {share.State{Addresses: https, PlainAddresses: plain}, "Encrypted. Other computers on this network can reach these addresses.", "The same addresses with http:// work too"},
		"in clear":   {share.State{Addresses: plain, PlainAddresses: plain}, "", unencrypted},
		"nobody":     {share.State{}, "", ""},
	} {
		if got := reachedBy(x.st); got != x.reach {
			t.Errorf("%s: %q", name, got)
		}
		if got := inClear(x.st); !strings.HasPrefix(got, x.inClear) || (got == "") != (x.inClear == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
	st := share.State{Encrypted: true, Addresses: https, Encryption: share.Encryption{Temporary: true}}
	if got := reachedBy(st); !strings.Contains(got, "ends with the program") {
		t.Errorf("%q", got)
	}
}

func TestOtherPort(t *testing.T) {
	for _, x := range []struct {
		phase   share.Phase
		problem share.Problem
		listen  string
		want    string
	}{
		{share.Waiting, share.PortInUse, ":11435", ":11436"},
		{share.Waiting, share.PortInUse, "127.0.0.1:65535", "127.0.0.1:11436"},
		{share.Waiting, share.PortInUse, "[::1]:11435", "[::1]:11436"},
		{share.Waiting, share.NotAllowed, ":80", ":11435"},
		{share.Waiting, share.NoSuchAddr, "10.0.0.9:11435", ""},
		{share.Waiting, share.OtherNetwork, ":11435", ""},
		{share.Waiting, share.NoCertificate, ":11435", ""},
		{share.Waiting, share.PortInUse, "nonsense", ""},
		{share.Sharing, share.NoProblem, ":11435", ""},
	} {
		if got := otherPort(share.State{Phase: x.phase, Problem: x.problem, Listen: x.listen}); got != x.want {
			t.Errorf("%s at %s: %q, want %q", x.problem, x.listen, got, x.want)
		}
	}
}

func TestOllamaWords(t *testing.T) {
	for _, x := range []struct {
		o       share.Ollama
		title   string
		says    string
		trouble bool
	}{
		{share.Ollama{URL: "http://127.0.0.1:11434", Health: share.Answers, Version: "0.17.4"}, "Ollama 0.17.4", "answers on this machine", false},
		{share.Ollama{URL: "http://10.0.0.5:11434", Health: share.Answers, Version: "0.17.4"}, "Ollama 0.17.4", "answers at 10.0.0.5:11434", false},
		{share.Ollama{URL: "http://127.0.0.1:11434", Health: share.Unknown}, "Asking Ollama…", "on this machine", false},
		{share.Ollama{URL: "http://127.0.0.1:11434", Health: share.Silent}, "Ollama does not answer", "Nothing answers at 127.0.0.1:11434", true},
		{share.Ollama{Health: share.Silent, Detail: "a bad address"}, "Ollama's address cannot be read", "a bad address", true},
		{share.Ollama{URL: "http://127.0.0.1:80", Health: share.Stranger}, "This is not Ollama", "127.0.0.1:80", true},
		{share.Ollama{URL: "http://127.0.0.1:11435", Health: share.Stranger, Detail: share.DetailOwnUpstream}, "Ollama is not where Paddock looks", "leads back to Paddock", true},
		{share.Ollama{URL: "http://127.0.0.1:4", Health: share.Answers, Demo: true}, "Built-in demo", "stands in for Ollama", false},
	} {
		got := ollama(x.o)
		if got.title != x.title || !strings.Contains(got.sentence, x.says) || got.trouble != x.trouble {
			t.Errorf("%+v: %+v", x.o, got)
		}
	}
}

func TestAddressLabel(t *testing.T) {
	for link, want := range map[string]string{
		"http://anna.local:11435": "Name", "http://10.0.0.2:11435": "IP address", "http://[fd00::2]:11435": "IP address",
		"http://127.0.0.1:11435": "Local only", "http://localhost:11435": "Local only", "::": "Address",
	} {
		if got := addressLabel(link); got != want {
			t.Errorf("%s is %q, want %q", link, got, want)
		}
	}
}
