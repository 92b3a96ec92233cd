//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// totals are metrics whose rounds are added up: one loss in five rounds is one
// loss, and no median may hide it.
var totals = map[string]bool{"cancel-missed": true, "restart-lost": true}

// table makes the rows of the results: a head, then one row a metric.
func (l *lab) table() [][]string {
	head := append([]string{"Metric"}, targetNames...)
	rows := [][]string{append(head, "Paddock : Caddy", "Paddock : nginx")}
	for _, m := range metrics {
		row, any := []string{m.title + ", " + m.unit}, false
		for _, name := range targetNames {
			v := l.book.of(m.id, name)
			any = any || len(v) > 0
			row = append(row, shown(m.id, v))
		}
		if !any {
			continue
		}
		for _, peer := range []string{caddy, nginx} {
			if totals[m.id] {
				row = append(row, "–")
			} else {
				row = append(row, spread(l.book.ratios(m.id, paddock, peer)))
			}
		}
		rows = append(rows, row)
		if m.id == "get-1-p50" {
			rows = append(rows, l.added("GET, 1 connection, added p50, µs", m.id))
		}
		if m.id == "chat-1-p50" {
			rows = append(rows, l.added("POST /api/chat, 1 connection, added p50, µs", m.id))
		}
	}
	lost := []string{"answers lost or cut, of all"}
	for _, name := range targetNames {
		lost = append(lost, fmt.Sprintf("%d of %d", l.book.lost[name], l.book.asked[name]))
	}
	return append(rows, append(lost, "–", "–"))
}

func shown(id string, v []float64) string {
	if totals[id] && len(v) > 0 {
		var sum float64
		for _, x := range v {
			sum += x
		}
		return fmt.Sprintf("%.0f", sum)
	}
	return spread(v)
}

// beyond is what a target adds to the direct call, round by round.
func (l *lab) beyond(metric, name string) []float64 {
	return pairs(l.book.of(metric, name), l.book.of(metric, direct), func(x, y float64) float64 { return x - y })
}

// added is the row of what the targets add to the direct call.
func (l *lab) added(title, metric string) []string {
	row := []string{title, "0"}
	for _, name := range targetNames[1:] {
		row = append(row, spread(l.beyond(metric, name)))
	}
	for _, peer := range []string{caddy, nginx} {
		row = append(row, spread(l.addedRatio(metric, peer)))
	}
	return row
}

func (l *lab) addedRatio(metric, peer string) []float64 {
	return pairs(l.beyond(metric, paddock), l.beyond(metric, peer), func(x, y float64) float64 { return x / y })
}

// goal is one line of what Paddock is to reach.
type goal struct {
	text    string
	limit   float64
	atLeast bool
	unit    string
	series  func(l *lab) []float64 // its median is held against the limit
}

// ratio is a goal against a peer.
func ratio(metric, peer string) func(*lab) []float64 {
	return func(l *lab) []float64 { return l.book.ratios(metric, paddock, peer) }
}

// own is a goal of Paddock's own figure.
func own(metric string) func(*lab) []float64 {
	return func(l *lab) []float64 { return l.book.of(metric, paddock) }
}

func goals() []goal {
	return []goal{
		{"added p50 at one connection, of Caddy's", 0.55, false, "×", func(l *lab) []float64 { return l.addedRatio("get-1-p50", caddy) }},
		{"requests a second at 32 connections, of Caddy's", 2.0, true, "×", ratio("get-32-rps", caddy)},
		{"requests a second at 32 connections over TLS, of Caddy's", 1.8, true, "×", ratio("tls-32-rps", caddy)},
		{"processor time a request at 32 connections, of Caddy's", 0.5, false, "×", ratio("get-32-cpu", caddy)},
		{"1 MiB answers, of Caddy's", 1.2, true, "×", ratio("answer-mib", caddy)},
		{"1 MiB answers, of nginx's", 1.5, true, "×", ratio("answer-mib", nginx)},
		{"1 MiB answers in chunks, of Caddy's", 1.2, true, "×", ratio("answer-chunked-mib", caddy)},
		{"1 MiB answers in chunks, of nginx's", 1.5, true, "×", ratio("answer-chunked-mib", nginx)},
		{"100 MiB uploads, of Caddy's", 1.2, true, "×", ratio("upload-mib", caddy)},
		{"100 MiB uploads, of nginx's", 1.5, true, "×", ratio("upload-mib", nginx)},
		{"token under way at 64 streams, p99, of Caddy's", 1, false, "×", ratio("transit-p99", caddy)},
		{"token under way at 64 streams over TLS, p99, of Caddy's", 1, false, "×", ratio("tls-transit-p99", caddy)},
		{"valid caller under a flood of wrong keys, p99", 10, false, " ms", own("flood-valid-p99")},
		{"Ollama knows that a caller left, p99 of all", 5, false, " ms", func(l *lab) []float64 {
			pool := l.book.pools[cell("cancel", paddock)]
			if len(pool) == 0 {
				return nil
			}
			return []float64{quantile(pool, 0.99)}
		}},
		{"left callers that Ollama heard nothing of", 0, false, "", sum("cancel-missed")},
		{"memory, idle", 25, false, " MiB", own("memory-idle")},
		{"memory with 5,000 idle connections", 200, false, " MiB", own("memory-5000")},
		{"answers lost or cut anywhere, restarts of Ollama included", 0, false, "", func(l *lab) []float64 {
			if l.book.asked[paddock] == 0 {
				return nil
			}
			return []float64{float64(l.book.lost[paddock])}
		}},
		{"beyond: requests a second at 32 connections, of Caddy's", 3.0, true, "×", ratio("get-32-rps", caddy)},
		{"beyond: requests a second at 32 connections over TLS, of Caddy's", 2.8, true, "×", ratio("tls-32-rps", caddy)},
		{"beyond: added p50 at one connection, more than nginx's by", 30, false, " µs", func(l *lab) []float64 {
			return pairs(l.book.of("get-1-p50", paddock), l.book.of("get-1-p50", nginx), func(x, y float64) float64 { return x - y })
		}},
	}
}

// sum adds a metric up over the rounds.
func sum(metric string) func(*lab) []float64 {
	return func(l *lab) []float64 {
		v := l.book.of(metric, paddock)
		if len(v) == 0 {
			return nil
		}
		var all float64
		for _, x := range v {
			all += x
		}
		return []float64{all}
	}
}

// verdicts holds the results against the goals.
func (l *lab) verdicts() [][]string {
	rows := [][]string{{"Goal", "Must be", "Measured", "Met"}}
	for _, g := range goals() {
		must := "at most "
		if g.atLeast {
			must = "at least "
		}
		must += strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", g.limit), "0"), ".0") + g.unit
		v := g.series(l)
		m, ok := median(v)
		met := "not measured"
		if ok {
			met = "**no**"
			if g.atLeast && m >= g.limit || !g.atLeast && m <= g.limit {
				met = "yes"
			}
		}
		measured := spread(v)
		if ok && g.limit == 0 {
			measured = fmt.Sprintf("%.0f", math.Round(m))
		} else if ok {
			measured += g.unit
		}
		rows = append(rows, []string{g.text, must, measured, met})
	}
	return rows
}

// roomy says what the bodies of nginx are with large buffers.
func (l *lab) roomy() []string {
	var parts []string
	for _, m := range metrics {
		v := l.book.of(m.id+"-roomy", nginx)
		if len(v) == 0 {
			continue
		}
		against := pairs(l.book.of(m.id, paddock), v, func(x, y float64) float64 { return x / y })
		parts = append(parts, fmt.Sprintf("%s: %s %s, Paddock : nginx %s", m.title, spread(v), m.unit, spread(against)))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"nginx with buffers of 64 KiB and more instead of its own. " + strings.Join(parts, "; ") + "."}
}

// remarks are what the tables do not hold.
func (l *lab) remarks() []string { return slices.Concat(l.complaints(), l.roomy(), l.notes) }

// complaints are the first loss of each target.
func (l *lab) complaints() []string {
	var out []string
	for _, name := range targetNames {
		if why := l.book.said[name]; why != "" {
			out = append(out, fmt.Sprintf("The first answer that %s lost: %s.", name, why))
		}
	}
	return out
}

// markdown is what docs/performance.md holds between its marks.
func (l *lab) markdown() string {
	var b strings.Builder
	how := fmt.Sprintf("Median [least–most] of %d rounds; ratios are of one round.", l.o.rounds)
	if l.o.quick {
		how += " A quick run: a look, not a result."
	}
	fmt.Fprintf(&b, "%s. %s %s\n\n", l.facts, how, l.noise)
	pipes(&b, l.table())
	b.WriteByte('\n')
	pipes(&b, l.verdicts())
	b.WriteByte('\n')
	for _, note := range l.remarks() {
		fmt.Fprintf(&b, "* %s\n", strings.ReplaceAll(strings.ReplaceAll(note, l.o.dir, "…"), "|", "\\|"))
	}
	return b.String()
}

func pipes(b *strings.Builder, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|---" + strings.Repeat("|---", len(row)-1) + "|\n")
		}
	}
}

// text is the same for a terminal.
func (l *lab) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s. %s\n\n", l.facts, l.noise)
	for _, rows := range [][][]string{l.table(), l.verdicts()} {
		w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
		for _, row := range rows {
			fmt.Fprintln(w, strings.ReplaceAll(strings.Join(row, "\t"), "**", ""))
		}
		w.Flush()
		b.WriteByte('\n')
	}
	for _, note := range l.remarks() {
		fmt.Fprintln(&b, note)
	}
	return b.String()
}

// The tables stand between these lines of the document.
const (
	beginMark = "<!-- bench-peers: begin -->\n"
	endMark   = "<!-- bench-peers: end -->\n"
)

// replace writes fresh tables into the marked place of a document.
func replace(file, fresh string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, found := bytes.Cut(old, []byte(beginMark))
	_, tail, closed := bytes.Cut(rest, []byte(endMark))
	if !found || !closed {
		return fmt.Errorf("%s has no place for the tables: %s … %s", file, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	out := append(append(append(slices.Clip(head), beginMark...), "\n"+fresh+"\n"...), endMark...)
	return os.WriteFile(file, append(out, tail...), 0o644)
}
