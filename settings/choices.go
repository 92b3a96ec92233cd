package settings

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"paddock/policy"
)

// choice is one setting: how it is called, read and printed. The table below is
// the only place that knows them all.
type choice struct {
	name      string
	byDefault string
	help      string
	put       func(*Settings, string) error // reads a value as people write it; the error is the reason in words
	show      func(Settings) string         // the inverse of put, in its usual spelling
}

var choices = []choice{
	{
		name: ShareListen, byDefault: ":11435",
		help: "where to listen: :PORT for every private interface, or HOST:PORT for one address",
		put:  func(s *Settings, v string) error { return keep(&s.Listen, checkListen, v) },
		show: func(s Settings) string { return s.Listen },
	},
	{
		name: ShareOllama, byDefault: "",
		help: "the Ollama to share, as OLLAMA_HOST is written; empty for OLLAMA_HOST or http://127.0.0.1:11434",
		put:  func(s *Settings, v string) error { return keep(&s.Ollama, checkUpstream, v) },
		show: func(s Settings) string { return s.Ollama },
	},
	yesNo(ShareAtStart, "false", func(s *Settings) *bool { return &s.AtStart },
		"start sharing when the program starts: true or false"),
	yesNo(ShareAllowHTTP, "false", func(s *Settings) *bool { return &s.AllowHTTP },
		"let requests in that are not encrypted: true or false. Whoever listens in on the network can then read keys, prompts and answers"),
	{
		name: ShareNetwork, byDefault: NetworkPrivate,
		help: "where to share: private for all private networks, interface:NAME for one, here for only the network that this machine is on now",
		put: func(s *Settings, v string) (err error) {
			s.Network, err = ParseNetwork(v)
			return err
		},
		show: func(s Settings) string { return s.Network.String() },
	},
	yesNo(ShareDiscovery, "true", func(s *Settings) *bool { return &s.Discovery },
		"tell the network by mDNS that there is a gate, without a name of a key or a model: true or false"),
	{
		name: ShareCertificate, byDefault: "",
		help: "PEM file of a certificate of your own, with those between it and its authority; empty for the one that Paddock makes",
		put:  func(s *Settings, v string) error { return keep(&s.Certificate, checkFile, v) },
		show: func(s Settings) string { return s.Certificate },
	},
	{
		name: ShareCertKey, byDefault: "",
		help: "PEM file of the private key that belongs to share.certificate",
		put:  func(s *Settings, v string) error { return keep(&s.CertificateKey, checkFile, v) },
		show: func(s Settings) string { return s.CertificateKey },
	},
	yesNo(ShareKeepAwake, "false", func(s *Settings) *bool { return &s.KeepAwake },
		"keep this machine from going to sleep while a request runs: true or false"),
	{
		name: LimitsBody, byDefault: "16MiB",
		help: "largest body of a request, from 1KiB; none for no limit. Ollama has none: a prompt of 32 MiB took 7 GiB of memory",
		put: func(s *Settings, v string) error {
			n, err := ParseSize(v)
			switch {
			case err != nil:
				return err
			case n == 0:
				n = NoLimit
			case n < 1<<10:
				return errors.New("no request fits in less than 1KiB")
			case n > NoLimit:
				return errTooLarge
			}
			s.Body = n
			return nil
		},
		show: func(s Settings) string {
			if s.Body >= NoLimit {
				return none
			}
			return FormatSize(s.Body)
		},
	},
	count(LimitsRunning, "4", 1, 1_000_000, func(s *Settings) *int { return &s.Running },
		"requests that run at once, of all keys, from 1; the rest waits in a fair queue. none for no limit"),
	count(LimitsWaiting, "64", 1, 1_000_000, func(s *Settings) *int { return &s.Waiting },
		"requests of one key that wait for their turn, from 1; none for no limit"),
	count(LimitsConnections, "512", 1, 1_000_000, func(s *Settings) *int { return &s.Connections },
		"most connections at a time, from 1; none for no limit"),
	count(LimitsPerAddress, "64", 1, 1_000_000, func(s *Settings) *int { return &s.PerAddress },
		"most connections at a time from one address, from 1; none for no limit. Browsers open six, programs some tens"),
	{
		name: LimitsAttempts, byDefault: "10/min",
		help: "wrong keys that one address may try before it is refused for a while, such as 10/min; none for no limit. A good key always passes",
		put: func(s *Settings, v string) (err error) {
			s.Attempts, err = policy.ParseRate(v)
			return err
		},
		show: func(s Settings) string { return s.Attempts.String() },
	},
	count(LimitsNumCtx, "32768", 256, 1_000_000_000, func(s *Settings) *int { return &s.NumCtx },
		"largest context (num_ctx) that a request of a user may ask for, in tokens, from 256; none for no limit. A context costs memory, and another one loads the model anew"),
	{
		name: LogKept, byDefault: "10000",
		help: "entries of the request log kept in memory, 100 to 1000000; each takes about half a kilobyte. Takes effect when Paddock starts next",
		put: func(s *Settings, v string) (err error) {
			s.LogKept, err = parseCount(v, 100, 1_000_000)
			return err
		},
		show: func(s Settings) string { return strconv.Itoa(s.LogKept) },
	},
	{
		name: UITheme, byDefault: ThemeAuto,
		help: "colours of the window: auto, light or dark",
		put: func(s *Settings, v string) error {
			switch v = strings.TrimSpace(v); v {
			case ThemeAuto, ThemeLight, ThemeDark:
				s.Theme = v
				return nil
			}
			return errors.New("it is auto, light or dark")
		},
		show: func(s Settings) string { return s.Theme },
	},
}

// yesNo makes a setting that is true or false.
func yesNo(name, byDefault string, in func(*Settings) *bool, help string) choice {
	return choice{
		name: name, byDefault: byDefault, help: help,
		put: func(s *Settings, v string) (err error) {
			*in(s), err = parseBool(v)
			return err
		},
		show: func(s Settings) string { return strconv.FormatBool(*in(&s)) },
	}
}

// count makes a setting that is a whole number, or none.
func count(name, byDefault string, least, most int, in func(*Settings) *int, help string) choice {
	return choice{
		name: name, byDefault: byDefault, help: help,
		put: func(s *Settings, v string) (err error) {
			if strings.TrimSpace(v) == none {
				*in(s) = NoCountLimit
				return nil
			}
			*in(s), err = parseCount(v, least, most)
			return err
		},
		show: func(s Settings) string {
			if n := *in(&s); n < NoCountLimit {
				return strconv.Itoa(n)
			}
			return none
		},
	}
}

func find(name string) (choice, error) {
	for _, c := range choices {
		if c.name == name {
			return c, nil
		}
	}
	return choice{}, &UnknownError{Name: name, Nearest: nearest(name)}
}

// keep puts a checked text into a setting.
func keep(into *string, check func(string) error, v string) error {
	v = strings.TrimSpace(v)
	if err := check(v); err != nil {
		return err
	}
	*into = v
	return nil
}

func parseBool(v string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return false, errors.New("it is true or false")
}

func parseCount(v string, least, most int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("it is a whole number from %d to %d", least, most)
	}
	return n, nil
}

// CheckListen says in words why a text could not be share.listen.
func CheckListen(v string) error { return checkListen(v) }

// checkListen looks at the form only: whether the address is one of this
// machine changes with the network, so that is found out when sharing starts.
func checkListen(v string) error {
	if v == "" {
		return errors.New("it is :PORT or HOST:PORT, such as :11435")
	}
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("it is :PORT or HOST:PORT, with an IPv6 address in brackets")
	}
	if !isPort(port) {
		return errors.New("the port is a number from 0 to 65535, 0 to let the system choose")
	}
	if host != "" && !isHost(host) || v[0] == '[' && !isIP(host) {
		return errors.New("the host is an address of this machine or its name")
	}
	return nil
}

// checkFile looks at the form only: whether the file is there changes, and is
// found out when it is read. A relative path would mean another file for each
// program that reads the setting.
func checkFile(v string) error {
	switch {
	case v == "":
		return nil
	case len(v) > 4096 || strings.ContainsFunc(v, unicode.IsControl):
		return errors.New("that is no path of a file")
	case !filepath.IsAbs(v):
		return errors.New("the path of the file is written in full, from the root on")
	}
	return nil
}

func checkUpstream(v string) error {
	_, err := ParseUpstream(v)
	return err
}

// isPort is strict where strconv is not: no sign, no underscore, no name.
func isPort(s string) bool {
	if s == "" || len(s) > 5 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	n, err := strconv.Atoi(s)
	return err == nil && n <= 65535
}
