//go:build !lite

package keys

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"paddock/policy"
	"paddock/share"
	"paddock/ui/kit"
)

// client is one way to use a key, with the steps to take in order.
type client struct {
	label string
	steps []step
	notes []string
}

// step is one thing to do. The code is what is copied.
type step struct{ title, how, code string }

// sample is what the snippets are filled with.
type sample struct {
	base  string // https://anna-mbp.local:11435
	byIP  string // the same by an address that needs no name, or ""
	plain string // the same without encryption, while the owner allows that, or ""
	model string
	// own says that whoever trusts the internet's authorities trusts the gate:
	// its certificate is the owner's own. print is what to compare otherwise.
	own   bool
	print string
	// inAddress says that the key may stand in the address.
	inAddress bool
}

// trusts says whether clients have to be told first whom to trust.
func (s sample) trusts() bool { return strings.HasPrefix(s.base, "https:") && !s.own }

// sampleOf takes the address to give to teammates and a model that this key
// may use from a state.
func sampleOf(st share.State, g policy.Grant) (s sample, ok bool) {
	s = sample{
		base: st.Address(), model: modelOf(st.Ollama.Models, st.Ollama.Loaded, g),
		own: st.Encryption.Own, print: kit.Fingerprint(st.Encryption.Fingerprint),
	}
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
	if len(st.PlainAddresses) > 0 && st.PlainAddresses[0].URL != s.base {
		s.plain = st.PlainAddresses[0].URL
	}
	ok = s.base != ""
	if !ok {
		scheme := "http://"
		if st.Encrypted {
			scheme = "https://"
		}
		s.base = scheme + "ADDRESS:11435"
		if _, port, err := net.SplitHostPort(st.Listen); err == nil {
			s.base = scheme + net.JoinHostPort("ADDRESS", port)
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

// caFile is what the gate's authority is called where it is fetched to.
const caFile = "paddock-ca.pem"

// quoted writes text as a string of JSON, which Python, JavaScript, Go and YAML
// read alike.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string can be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plainWord needs no quotes in any shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// shell writes text as one word of a POSIX shell.
func shell(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// withKey writes an address that ends in a variable as one word of a POSIX shell.
func withKey(base, path string) string {
	if plainWord.MatchString(base) {
		return `"` + base + path + `"`
	}
	return shell(base) + `"` + path + `"`
}

// clients are the ways that work with a key today. The code reads the key from
// PADDOCK_KEY, so that nobody pastes a key into a file. How many there are, and
// in which order, depends on inAddress alone.
func clients(s sample) []client {
	all := []client{s.curl(), s.python(), s.javaScript(), s.golang(), s.n8n(), s.openWebUI(), s.continueDev(), s.environment(), s.browser()}
	if s.inAddress {
		all = append(all, s.onlyAddress())
	}
	for i := range all {
		if s.plain != "" {
			all[i].notes = append(all[i].notes, "What cannot be told whom to trust may use "+s.plain+
				" for now, without those steps: anyone who listens in on this network can then read its key, prompts and answers.")
		}
	}
	return all
}

// trust are the steps that every client of a computer takes together, once, and
// what this one takes then.
func (s sample) trust(then ...step) []step {
	if !s.trusts() {
		return nil
	}
	how := "compare its fingerprint with what the owner sees"
	if s.print != "" {
		how = "compare its fingerprint: " + s.print
	}
	return append([]step{{
		"Trust this gate, once", how,
		"curl -k " + shell(s.base+"/paddock/ca.pem") + " -o " + caFile + "\nopenssl x509 -in " + caFile + " -noout -fingerprint -sha256",
	}}, then...)
}

// variable has a program read the authority's certificate.
func variable(name string) string { return "export " + name + `="$PWD/` + caFile + `"` }

// setKey is how a key gets into a shell without showing there or in its history.
var setKey = step{"Put the key into PADDOCK_KEY", "paste it when asked; it shows nowhere", "printf 'Key: '; read -rs PADDOCK_KEY; export PADDOCK_KEY"}

const (
	message    = `[{"role": "user", "content": "Hello"}]`
	keyIsSet   = "Set PADDOCK_KEY in the environment first."
	onlyThisCA = "SSL_CERT_FILE takes the place of the list of authorities: what is started in that shell reaches this gate, and little else. " +
		"Where it calls the internet too, put both into one file and name that."
)

func (s sample) curl() client {
	flag := ""
	if s.trusts() {
		flag = "--cacert " + caFile + " "
	}
	body := "{" + `"model": ` + quoted(s.model) + ",\n       " + `"messages": ` + message + "}"
	return client{label: "curl", steps: append(s.trust(), setKey, step{
		"Send a request", "the answer comes word by word", "curl " + flag + shell(s.base+"/api/chat") + " \\\n" +
			`  -H "Authorization: Bearer $PADDOCK_KEY" \` + "\n" +
			"  -d " + shell(body),
	})}
}

func (s sample) python() client {
	steps := s.trust(step{"Tell Python", "in the shell that starts the program", variable("SSL_CERT_FILE")})
	steps = append(steps,
		step{"With the openai library", "pip install openai", "import os\nfrom openai import OpenAI\n\n" +
			"client = OpenAI(base_url=" + quoted(s.base+"/v1") + `, api_key=os.environ["PADDOCK_KEY"])` + "\n" +
			"answer = client.chat.completions.create(model=" + quoted(s.model) + ", messages=" + message + ")\n" +
			"print(answer.choices[0].message.content)"},
		step{"Or with the ollama library", "pip install ollama", "import os\nfrom ollama import Client\n\n" +
			"client = Client(host=" + quoted(s.base) + `, headers={"Authorization": "Bearer " + os.environ["PADDOCK_KEY"]})` + "\n" +
			"answer = client.chat(model=" + quoted(s.model) + ", messages=" + message + ")\n" +
			`print(answer["message"]["content"])`})
	notes := []string{keyIsSet}
	if s.trusts() {
		notes = append(notes, onlyThisCA)
	}
	return client{"Python", steps, notes}
}

func (s sample) javaScript() client {
	const jsMessage = `[{ role: "user", content: "Hello" }]`
	steps := s.trust(step{"Tell Node", "in the shell that starts the program", variable("NODE_EXTRA_CA_CERTS")})
	steps = append(steps,
		step{"With the openai package", "npm install openai", `import OpenAI from "openai";` + "\n\n" +
			"const client = new OpenAI({ baseURL: " + quoted(s.base+"/v1") + ", apiKey: process.env.PADDOCK_KEY });\n" +
			"const answer = await client.chat.completions.create({ model: " + quoted(s.model) + ", messages: " + jsMessage + " });\n" +
			"console.log(answer.choices[0].message.content);"},
		step{"Or with the ollama package", "npm install ollama", `import { Ollama } from "ollama";` + "\n\n" +
			"const ollama = new Ollama({ host: " + quoted(s.base) + ", headers: { Authorization: `Bearer ${process.env.PADDOCK_KEY}` } });\n" +
			"const answer = await ollama.chat({ model: " + quoted(s.model) + ", messages: " + jsMessage + " });\n" +
			"console.log(answer.message.content);"})
	return client{"JavaScript", steps, []string{
		"For programs outside the browser. A web page may call once its website is switched on under Websites. " + keyIsSet,
	}}
}

func (s sample) golang() client {
	steps := s.trust(step{"Tell Go", "in the shell that starts the program, on Linux", variable("SSL_CERT_FILE")})
	steps = append(steps, step{"With the standard library", "", `package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	body := strings.NewReader(` + quoted(`{"model": `+quoted(s.model)+`, "messages": `+message+`}`) + `)
	req, err := http.NewRequest("POST", ` + quoted(s.base+"/api/chat") + `, body)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("PADDOCK_KEY"))
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Print(err)
	}
}`})
	notes := []string{keyIsSet}
	if s.trusts() {
		notes = append(notes, "On macOS and Windows Go asks the system alone: the tab Browser has the line that tells it.")
	}
	return client{"Go", steps, notes}
}

// mounted has a container read the authority's certificate.
func mounted(name string) string {
	return "-e " + name + "=/" + caFile + ` -v "$PWD/` + caFile + ":/" + caFile + `:ro"`
}

// byIPNote is for programs that may not find a machine by its name.
func (s sample) byIPNote(program string) string {
	if s.byIP != "" && s.byIP != s.base {
		return "If " + program + " runs in a container, use " + s.byIP + " instead: a container may not find this laptop by its name."
	}
	return "If " + program + " runs in a container, it may not find this laptop by its name."
}

func (s sample) n8n() client {
	steps := s.trust(
		step{"Tell n8n", "in the environment that it is started in", variable("NODE_EXTRA_CA_CERTS")},
		step{"Or in its container", "add this to docker run, before the image", mounted("NODE_EXTRA_CA_CERTS")})
	return client{"n8n", append(steps,
		step{"Make a credential of the kind Ollama", "with this as its Base URL", s.base},
		step{"Paste the key into API Key", "and test the connection; the models appear in the Ollama nodes", ""},
	), []string{s.byIPNote("n8n")}}
}

func (s sample) openWebUI() client {
	steps := s.trust(step{"Tell Open WebUI", "add this to docker run, before the image", mounted("SSL_CERT_FILE")})
	notes := []string{"The server of Open WebUI calls, not your browser. " + s.byIPNote("it")}
	if s.trusts() {
		notes = append(notes, "SSL_CERT_FILE takes the place of the list of authorities. Where Open WebUI calls the internet too, put both into one file and mount that; "+
			"if it still says CERTIFICATE_VERIFY_FAILED, set REQUESTS_CA_BUNDLE to the same file.")
	}
	return client{"Open WebUI", append(steps,
		step{"Add an Ollama connection", "Admin Settings, Connections, Ollama; with this URL", s.base},
		step{"Paste the key into its Key field", "and save; the models appear in the list", ""},
	), notes}
}

func (s sample) continueDev() client {
	code := "models:\n  - name: " + quoted(s.model+" by Paddock") + "\n    provider: ollama\n    model: " + quoted(s.model) +
		"\n    apiBase: " + quoted(s.base) + "\n    apiKey: ${{ secrets.PADDOCK_KEY }}"
	if s.trusts() {
		code += "\n    requestOptions:\n      caBundlePath: /path/to/" + caFile
	}
	how := "in config.yaml"
	if s.trusts() {
		how = "in config.yaml, with the path to where you put " + caFile
	}
	return client{"Continue", append(s.trust(),
		step{"Add the model", how, code},
		step{"Put the key into .env", "in the folder .continue of your home, as PADDOCK_KEY=…", ""},
	), nil}
}

func (s sample) environment() client {
	steps := s.trust(step{"Tell programs", "those in Node, then those in Python and, on Linux, in Go", variable("NODE_EXTRA_CA_CERTS") + "\n" + variable("SSL_CERT_FILE")})
	notes := []string{"OLLAMA_HOST alone is not enough, as the ollama command cannot send a key: let this key stand in the address, and it can."}
	if s.inAddress {
		notes = []string{"The tab Only an address has the line for the ollama command."}
	}
	if s.trusts() {
		notes = append(notes, onlyThisCA)
	}
	return client{"Environment", append(steps,
		step{"For programs that speak to OpenAI", "", "export OPENAI_BASE_URL=" + shell(s.base+"/v1") + "\nexport OPENAI_API_KEY=\"$PADDOCK_KEY\""},
		step{"For programs that speak to Anthropic", "", "export ANTHROPIC_BASE_URL=" + shell(s.base) + "\nexport ANTHROPIC_AUTH_TOKEN=\"$PADDOCK_KEY\""},
	), notes}
}

func (s sample) browser() client {
	steps := s.trust(
		step{"On macOS", "also for Safari, Chrome and Go", "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db " + caFile},
		step{"On Windows", "also for Edge, Chrome and Go", "certutil -user -addstore Root " + caFile},
		step{"In Chrome on Linux", "Settings, Privacy and security, Security, Manage certificates: import it as an authority", ""},
		step{"In Firefox", "Settings, Privacy & Security, View Certificates, Authorities: import it, for websites", ""})
	notes := []string{"A web page may call once its website is switched on under Websites."}
	if s.trusts() {
		notes = append(notes, "This authority can vouch for machines on private networks only, not for websites of the internet.")
	}
	return client{"Browser", append(steps, step{"Open the gate's page", "it says hello, and asks for no key", s.base + "/paddock/"}), notes}
}

func (s sample) onlyAddress() client {
	steps := append(s.trust(),
		step{"Put this into the program's address field", "with the key in place of KEY", s.base + "/k/KEY"},
		step{"For programs that speak to OpenAI", "the same with /v1 behind it", s.base + "/k/KEY/v1"})
	command := "OLLAMA_HOST=" + withKey(s.base, "/k/$PADDOCK_KEY") + " ollama run " + shell(s.model)
	how := "with the key in PADDOCK_KEY"
	if s.trusts() {
		command, how = `SSL_CERT_FILE="$PWD/`+caFile+`" `+command, how+"; on macOS and Windows the tab Browser tells whom to trust"
	}
	note := "It works on this machine only, as long as the address is not encrypted: others on the network could read the key."
	if strings.HasPrefix(s.base, "https:") {
		note = "It works by this encrypted address, on the network too."
	}
	return client{"Only an address", append(steps, step{"For the ollama command", how, command}), []string{
		note + " Whoever sees the address has the key: give the program a key of its own.",
	}}
}
