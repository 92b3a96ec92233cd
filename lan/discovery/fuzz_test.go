package discovery

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzReceive sends a packet to a link that answers and to one that asks for its
// names. Whatever it is: no panic, nothing unbounded, no address that is not the
// interface's, and nothing to anybody off the link.
func FuzzReceive(f *testing.F) {
	compressed := question(service, dns.TypePTR)
	compressed.Answer = []dns.RR{&dns.PTR{Hdr: header(service, dns.TypePTR, otherTTL), Ptr: annas}}
	compressed.Compress = true
	probe := question(annas, dns.TypeANY)
	probe.Ns = []dns.RR{srv(annas, "berta.local.")}
	foreign := response()
	foreign.Answer = []dns.RR{a(host, "10.0.0.66", 120), srv(annas, "berta.local."), &dns.TXT{Hdr: header(annas, dns.TypeTXT, 9), Txt: []string{"x", `\000`}}}
	many := question(service, dns.TypePTR)
	for range 200 {
		many.Question = append(many.Question, many.Question[0])
	}
	for _, m := range []*dns.Msg{
		question(service, dns.TypePTR), question(types, dns.TypeANY), question(host, dns.TypeAAAA), compressed, probe, foreign, many,
	} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint16(5353), false, 255)
		f.Add(b, uint16(40000), true, 1)
	}
	for _, s := range []string{
		"", "\x00", strings.Repeat("\x00", 12), strings.Repeat("\xff", 12), strings.Repeat("\xff", 9001),
		"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01",                     // a name that points to itself
		"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x21\x00\x01\x00\x00\x00\x00\x00\x00", // SRV without data
		"\x00\x00\x84\x00\x00\x00\xff\xff\xff\xff\xff\xff",                                             // counts without records
	} {
		f.Add([]byte(s), uint16(5353), false, 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, from uint16, far bool, ttl int) {
		addr := ip("10.0.0.7")
		if far {
			addr = ip("10.0.1.7")
		}
		p := incoming{data: data, from: netip.AddrPortFrom(addr, from), ttl: ttl}
		ready, now := settled(anna(), "10.0.0.1")
		asking := testLink(anna(), "10.0.0.1")
		until(asking, begin, begin)
		for _, l := range []*link{ready, asking} {
			var out []outgoing
			for range 3 {
				out = append(out, l.receive(now, v4, p)...)
				for range 50 {
					if l.next().IsZero() {
						break
					}
					now = later(now, l.next())
					out = append(out, l.tick(now)...)
				}
				now = now.Add(time.Second)
			}
			for _, o := range out {
				b, err := o.msg.Pack()
				if err != nil {
					t.Fatalf("%v cannot be sent: %v", o.msg, err)
				}
				if len(b) > 1200 {
					t.Errorf("a packet has %d bytes", len(b))
				}
				if o.to.IsValid() && (far || o.to != p.from) {
					t.Errorf("sent to %v", o.to)
				}
				for _, rr := range slices.Concat(o.msg.Answer, o.msg.Ns, o.msg.Extra) {
					if a := address(rr); a.IsValid() && a != ip("10.0.0.1") {
						t.Errorf("told %v", rr)
					}
				}
			}
		}
	})
}
