//go:build !lite

package desk

import (
	"strings"
	"testing"

	"paddock/share"
)

func TestEveryPhaseHasWords(t *testing.T) {
	for _, x := range []struct {
		st      share.State
		title   string
		says    string
		trouble bool
	}{
		{share.State{Phase: share.Off}, "Off", "Nobody else can use your Ollama", false},
		{share.State{Phase: share.Starting, Listen: ":11435"}, "Starting…", ":11435", false},
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
		got := sharing(x.st)
		if got.title != x.title || !strings.Contains(got.sentence, x.says) || got.trouble != x.trouble {
			t.Errorf("%s, %s: %+v", x.st.Phase, x.st.Problem, got)
		}
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
