//go:build !lite

package keys

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"paddock/policy"
	"paddock/share"
)

// client is one way to use a key, with the steps to take in order.
type client struct {
	label string
	steps []step
	note  string
}

// step is one thing to do. The code is what is copied.
type step struct{ title, how, code string }

// sample is what the snippets are filled with.
type sample struct {
	base  string // http://anna-mbp.local:11435
	byIP  string // the same by an address that needs no name, or ""
	model string
	// inAddress says that the key may stand in the address.
	inAddress bool
}

// sampleOf takes the address to give to teammates and a model that this key
// may use from a state.
func sampleOf(st share.State, g policy.Grant) (s sample, ok bool) {
	s = sample{base: st.Address(), model: modelOf(st.Ollama.Models, st.Ollama.Loaded, g)}
	for _, a := range st.Addresses {
		u, err := url.Parse(a.URL)
		if err != nil {
			continue
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.Is4() {
			s.byIP = a.URL
			break
		}
	}
	ok = s.base != ""
	if !ok {
		s.base = "http://ADDRESS:11435"
		if _, port, err := net.SplitHostPort(st.Listen); err == nil {
			s.base = "http://" + net.JoinHostPort("ADDRESS", port)
		}
	}
	if s.model == "" {
		s.model = "llama3.2"
	}
	return s, ok
}

// modelOf finds a model to chat with: one that is loaded answers at once.
func modelOf(installed, loaded []string, g policy.Grant) string {
	for _, m := range slices.Concat(loaded, installed) {
		small := strings.ToLower(m)
		if policy.DecideModel(g, m, false).OK() && !strings.Contains(small, "embed") && !strings.Contains(small, "bge-") && !strings.Contains(small, "minilm") {
			return strings.TrimSuffix(m, ":latest")
		}
	}
	return ""
}

// clients are the ways that work with a key today, over plain HTTP. The code
// reads the key from PADDOCK_KEY, so that nobody pastes a key into a file.
func clients(s sample) []client {
	message := `[{"role": "user", "content": "Hello"}]`
	jsMessage := `[{ role: "user", content: "Hello" }]`
	q := func(text string) string { return fmt.Sprintf("%q", text) }
	n8n := "If n8n runs in a container, it may not find this laptop by its name."
	if s.byIP != "" && s.byIP != s.base {
		n8n = "If n8n runs in a container, use " + s.byIP + " instead: a container may not find this laptop by its name."
	}
	all := []client{
		{
			label: "curl",
			steps: []step{
				{"Put the key into PADDOCK_KEY", "paste it when asked; it shows nowhere", "printf 'Key: '; read -rs PADDOCK_KEY; export PADDOCK_KEY"},
				{"Send a request", "the answer comes word by word", "curl " + s.base + "/api/chat \\\n" +
					`  -H "Authorization: Bearer $PADDOCK_KEY" \` + "\n" +
					`  -d '{"model": ` + q(s.model) + ",\n" + `       "messages": ` + message + `}'`},
			},
		},
		{
			label: "Python",
			steps: []step{
				{"With the openai library", "pip install openai", "import os\nfrom openai import OpenAI\n\n" +
					"client = OpenAI(base_url=" + q(s.base+"/v1") + `, api_key=os.environ["PADDOCK_KEY"])` + "\n" +
					"answer = client.chat.completions.create(model=" + q(s.model) + ", messages=" + message + ")\n" +
					"print(answer.choices[0].message.content)"},
				{"Or with the ollama library", "pip install ollama", "import os\nfrom ollama import Client\n\n" +
					"client = Client(host=" + q(s.base) + `, headers={"Authorization": "Bearer " + os.environ["PADDOCK_KEY"]})` + "\n" +
					"answer = client.chat(model=" + q(s.model) + ", messages=" + message + ")\n" +
					`print(answer["message"]["content"])`},
			},
			note: "Set PADDOCK_KEY in the environment first.",
		},
		{
			label: "JavaScript",
			steps: []step{
				{"With the openai package", "npm install openai", `import OpenAI from "openai";` + "\n\n" +
					"const client = new OpenAI({ baseURL: " + q(s.base+"/v1") + ", apiKey: process.env.PADDOCK_KEY });\n" +
					"const answer = await client.chat.completions.create({ model: " + q(s.model) + ", messages: " + jsMessage + " });\n" +
					"console.log(answer.choices[0].message.content);"},
				{"Or with the ollama package", "npm install ollama", `import { Ollama } from "ollama";` + "\n\n" +
					"const ollama = new Ollama({ host: " + q(s.base) + ", headers: { Authorization: `Bearer ${process.env.PADDOCK_KEY}` } });\n" +
					"const answer = await ollama.chat({ model: " + q(s.model) + ", messages: " + jsMessage + " });\n" +
					"console.log(answer.message.content);"},
			},
			note: "For programs outside the browser. A web page may call once its website is switched on under Websites. Set PADDOCK_KEY in the environment first.",
		},
		{
			label: "n8n",
			steps: []step{
				{"Make a credential of the kind Ollama", "with this as its Base URL", s.base},
				{"Paste the key into API Key", "and test the connection; the models appear in the Ollama nodes", ""},
			},
			note: n8n,
		},
		{
			label: "Open WebUI",
			steps: []step{
				{"Add an Ollama connection", "Admin Settings, Connections, Ollama; with this URL", s.base},
				{"Paste the key into its Key field", "and save; the models appear in the list", ""},
			},
			note: "The server of Open WebUI calls, not your browser. If it runs in a container, use the IP address.",
		},
		{
			label: "Environment",
			steps: []step{
				{"For programs that speak to OpenAI", "", "export OPENAI_BASE_URL=" + s.base + "/v1\nexport OPENAI_API_KEY=\"$PADDOCK_KEY\""},
				{"For programs that speak to Anthropic", "", "export ANTHROPIC_BASE_URL=" + s.base + "\nexport ANTHROPIC_AUTH_TOKEN=\"$PADDOCK_KEY\""},
			},
			note: "OLLAMA_HOST alone is not enough: the ollama command cannot send a key yet.",
		},
	}
	if s.inAddress {
		all = append(all, client{
			label: "Only an address",
			steps: []step{
				{"Put this into the program's address field", "with the key in place of KEY", s.base + "/k/KEY"},
				{"For programs that speak to OpenAI", "the same with /v1 behind it", s.base + "/k/KEY/v1"},
			},
			note: "It works encrypted, or on this machine only. Whoever sees the address has the key: give the program a key of its own.",
		})
	}
	return all
}
