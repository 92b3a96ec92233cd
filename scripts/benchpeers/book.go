//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// book holds what was measured: a value for each metric, target and round.
type book struct {
	rounds int
	round  int

	mu     sync.Mutex // guards what follows
	values map[string][]float64
	pools  map[string][]float64 // single values of all rounds, for quantiles of rare things
	asked  map[string]int       // answers that were waited for, by target
	lost   map[string]int       // those that did not come, or not whole
	said   map[string]string    // the first complaint
	again  int                  // runs that were repeated
}

func newBook(rounds int) *book {
	return &book{
		rounds: rounds, values: map[string][]float64{}, pools: map[string][]float64{},
		asked: map[string]int{}, lost: map[string]int{}, said: map[string]string{},
	}
}

func cell(metric, target string) string { return metric + "|" + target }

// put notes the value of this round.
func (b *book) put(metric string, t *target, v float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := cell(metric, t.name)
	for len(b.values[at]) <= b.round {
		b.values[at] = append(b.values[at], math.NaN())
	}
	b.values[at][b.round] = v
}

// pool keeps single values.
func (b *book) pool(metric string, t *target, v []float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pools[cell(metric, t.name)] = append(b.pools[cell(metric, t.name)], v...)
}

// count notes how many answers were waited for and how many of them were lost,
// with the reason.
func (b *book) count(t *target, asked, lost int, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[t.name] += asked
	b.lost[t.name] += lost
	if lost > 0 && b.said[t.name] == "" {
		b.said[t.name] = why
	}
}

// repeat counts a run whose client was starved.
func (b *book) repeat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.again++
}

// result counts one answer.
func (b *book) result(t *target, what string, err error) {
	if err != nil {
		b.count(t, 1, 1, what+": "+err.Error())
		return
	}
	b.count(t, 1, 0, "")
}

// of returns the values of all rounds.
func (b *book) of(metric, target string) []float64 { return b.values[cell(metric, target)] }

// ratios divides round by round.
func (b *book) ratios(metric, over, under string) []float64 {
	return pairs(b.of(metric, over), b.of(metric, under), func(x, y float64) float64 { return x / y })
}

// pairs joins two series round by round; a round that one of them lacks is left out.
func pairs(a, b []float64, f func(x, y float64) float64) []float64 {
	var out []float64
	for i := range min(len(a), len(b)) {
		if v := f(a[i], b[i]); !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, v)
		}
	}
	return out
}

// quantile is the value below which the share q of all lies; 0 for none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

// median of what is a number; false without any.
func median(v []float64) (float64, bool) {
	v = slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	if len(v) == 0 {
		return 0, false
	}
	slices.Sort(v)
	if len(v)%2 == 0 {
		return (v[len(v)/2-1] + v[len(v)/2]) / 2, true
	}
	return v[len(v)/2], true
}

// spread writes "median [least–most]", or a dash.
func spread(v []float64) string {
	m, ok := median(v)
	if !ok {
		return "–"
	}
	v = slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	if len(v) == 1 {
		return figure(m)
	}
	return fmt.Sprintf("%s [%s–%s]", figure(m), figure(slices.Min(v)), figure(slices.Max(v)))
}

// figure writes a number with the digits that mean something.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
