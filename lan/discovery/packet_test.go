package discovery

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestOnlySensiblePacketsAreLookedInto(t *testing.T) {
	pack := func(change func(*dns.Msg)) string {
		m := question(service, dns.TypePTR)
		change(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	plain := pack(func(*dns.Msg) {})
	ask := func(n int) func(*dns.Msg) {
		return func(m *dns.Msg) {
			m.Compress = true
			for len(m.Question) < n {
				m.Question = append(m.Question, m.Question[0])
			}
		}
	}
	for name, c := range map[string]struct {
		packet string
		ok     bool
	}{
		"a question":        {plain, true},
		"as many as may be": {pack(ask(most)), true},
		"one more":          {pack(ask(most + 1)), false},
		"nothing":           {"", false},
		"a short head":      {plain[:11], false},
		"a head alone":      {strings.Repeat("\x00", 12), false},
		"cut off":           {plain[:len(plain)-1], false},
		"another opcode":    {pack(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), false},
		"an error":          {pack(func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }), false},
		"a large one":       {plain + strings.Repeat("\x00", largest-len(plain)), true},
		"one too large":     {plain + strings.Repeat("\x00", largest-len(plain)+1), false},
	} {
		if _, ok := parse([]byte(c.packet)); ok != c.ok {
			t.Errorf("%s: %v, want %v", name, ok, c.ok)
		}
	}
}
