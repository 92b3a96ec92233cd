package assets

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The SVG drawer inside Fyne draws every stroke as wide in pixels as its
// number says, whatever the size of the picture: an icon came out too heavy at
// 16 pixels and too thin at 56. Shapes it scales as it should. So before a
// drawing leaves this package, each stroke is turned into the shape it covers.

var (
	pathTag = regexp.MustCompile(`<path[^>]*/>`)
	attr    = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// outlined replaces the strokes of a drawing by shapes. It knows what the
// drawings here use: paths with M L H V C S A Z, round or butt ends.
func outlined(svg []byte) []byte {
	return pathTag.ReplaceAllFunc(svg, func(tag []byte) []byte {
		a := map[string]string{}
		for _, m := range attr.FindAllSubmatch(tag, -1) {
			a[string(m[1])] = string(m[2])
		}
		if a["stroke"] == "" || a["stroke"] == "none" {
			return tag
		}
		width, err := strconv.ParseFloat(a["stroke-width"], 64)
		if err != nil {
			panic("assets: stroke without a width in " + string(tag))
		}
		var d strings.Builder
		for _, line := range flatten(a["d"]) {
			line.outline(&d, width/2, a["stroke-linecap"] == "round")
		}
		return fmt.Appendf(nil, `<path fill="%s" d="%s"/>`, a["stroke"], strings.TrimSpace(d.String()))
	})
}

type point struct{ x, y float64 }

func (p point) plus(q point) point        { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point       { return point{p.x - q.x, p.y - q.y} }
func (p point) times(f float64) point     { return point{p.x * f, p.y * f} }
func (p point) left() point               { return point{p.y, -p.x} }
func (p point) dot(q point) float64       { return p.x*q.x + p.y*q.y }
func (p point) cross(q point) float64     { return p.x*q.y - p.y*q.x }
func (p point) length() float64           { return math.Hypot(p.x, p.y) }
func (p point) unit() point               { return p.times(1 / p.length()) }
func (p point) near(q point) bool         { return p.minus(q).length() < 1e-6 }
func between(p, q point, t float64) point { return p.times(1 - t).plus(q.times(t)) }

// polyline is a path made of straight pieces, fine enough to look round.
type polyline struct {
	points []point
	closed bool
}

// outline writes the shape that a pen of the given radius leaves.
func (l polyline) outline(d *strings.Builder, radius float64, round bool) {
	p := l.points
	if len(p) == 1 { // a dot: round ends make it a disc
		p = append(p, p[0].plus(point{1e-3, 0}))
	}
	there := l.side(p, radius)
	back := make([]point, len(p))
	for i, q := range p {
		back[len(p)-1-i] = q
	}
	again := l.side(back, radius)
	if l.closed {
		write(d, there)
		write(d, again)
		return
	}
	if round {
		there = append(there, arcAround(p[len(p)-1], there[len(there)-1], again[0], radius)...)
		again = append(again, arcAround(p[0], again[len(again)-1], there[0], radius)...)
	}
	write(d, append(there, again...))
}

// side walks along p and returns the line at the distance radius to its left,
// going around outer corners.
func (l polyline) side(p []point, radius float64) []point {
	var out []point
	n := len(p)
	for i, q := range p {
		var in, on point
		switch {
		case l.closed:
			in, on = q.minus(p[(i+n-1)%n]).unit(), p[(i+1)%n].minus(q).unit()
		case i == 0:
			on = p[1].minus(q).unit()
			in = on
		case i == n-1:
			in = q.minus(p[i-1]).unit()
			on = in
		default:
			in, on = q.minus(p[i-1]).unit(), p[i+1].minus(q).unit()
		}
		a, b := q.plus(in.left().times(radius)), q.plus(on.left().times(radius))
		switch turn := in.cross(on); {
		case in.dot(on) > 0.9: // part of a curve
			out = append(out, q.plus(in.left().plus(on.left()).unit().times(radius/math.Sqrt((1+in.dot(on))/2))))
		case turn > 0: // an outer corner on this side
			out = append(out, a)
			out = append(out, arcAround(q, a, b, radius)...)
			out = append(out, b)
		default: // an inner corner: through the corner itself, the pen covers the rest
			out = append(out, a, q, b)
		}
	}
	return out
}

// arcAround returns points on the way from a to b around c, clockwise on
// screen, without a and b themselves.
func arcAround(c, a, b point, radius float64) []point {
	from, to := math.Atan2(a.y-c.y, a.x-c.x), math.Atan2(b.y-c.y, b.x-c.x)
	for to <= from {
		to += 2 * math.Pi
	}
	steps := int(math.Ceil((to - from) / (math.Pi / 12)))
	var out []point
	for i := 1; i < steps; i++ {
		w := from + (to-from)*float64(i)/float64(steps)
		out = append(out, point{c.x + radius*math.Cos(w), c.y + radius*math.Sin(w)})
	}
	return out
}

func write(d *strings.Builder, p []point) {
	for i, q := range p {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(d, "%s%s %s", verb, short(q.x), short(q.y))
	}
	d.WriteString("Z ")
}

func short(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }

// flatten turns path data into straight pieces.
func flatten(d string) []polyline {
	var all []polyline
	var line polyline
	var at, control point
	finish := func() {
		if n := len(line.points); n > 1 && line.points[0].near(line.points[n-1]) && line.closed {
			line.points = line.points[:n-1]
		}
		if len(line.points) > 0 {
			all = append(all, line)
		}
		line = polyline{}
	}
	add := func(p point) {
		if n := len(line.points); n == 0 || !line.points[n-1].near(p) {
			line.points = append(line.points, p)
		}
		at = p
	}
	cubic := func(c1, c2, to point) {
		from := at
		const steps = 24
		for i := 1; i <= steps; i++ {
			t := float64(i) / steps
			a, b, c := between(from, c1, t), between(c1, c2, t), between(c2, to, t)
			add(between(between(a, b, t), between(b, c, t), t))
		}
		control = c2
	}
	s := scanner{data: d}
	for s.next() {
		base := point{}
		if s.relative {
			base = at
		}
		switch verb := s.verb; verb {
		case 'M':
			finish()
			add(base.plus(s.point()))
			s.verb = 'L' // further pairs are lines
		case 'L':
			add(base.plus(s.point()))
		case 'H':
			add(point{base.x + s.number(), at.y})
		case 'V':
			add(point{at.x, base.y + s.number()})
		case 'C':
			c1, c2, to := base.plus(s.point()), base.plus(s.point()), base.plus(s.point())
			cubic(c1, c2, to)
			continue
		case 'S':
			c1 := at.times(2).minus(control)
			c2, to := base.plus(s.point()), base.plus(s.point())
			cubic(c1, c2, to)
			continue
		case 'A':
			radius := s.number()
			s.number() // the drawings use circles only: one radius is the other,
			s.number() // and a turned circle is the same circle
			large, sweep := s.number() != 0, s.number() != 0
			for _, p := range arc(at, base.plus(s.point()), radius, large, sweep) {
				add(p)
			}
		case 'Z':
			start := line.points[0]
			line.closed = true
			finish()
			at = start
		default:
			panic("assets: path verb " + string(verb))
		}
		control = at
	}
	finish()
	return all
}

// arc returns points on the circle through a and b.
func arc(a, b point, radius float64, large, sweep bool) []point {
	half := b.minus(a).times(0.5)
	radius = max(radius, half.length())
	off := math.Sqrt(max(radius*radius-half.dot(half), 0))
	dir := half.unit().left()
	if large != sweep {
		dir = dir.times(-1)
	}
	c := a.plus(half).plus(dir.times(off))
	from, to := math.Atan2(a.y-c.y, a.x-c.x), math.Atan2(b.y-c.y, b.x-c.x)
	if sweep && to <= from {
		to += 2 * math.Pi
	}
	if !sweep && to >= from {
		to -= 2 * math.Pi
	}
	steps := max(int(math.Ceil(math.Abs(to-from)/(math.Pi/36))), 4)
	var out []point
	for i := 1; i < steps; i++ {
		w := from + (to-from)*float64(i)/float64(steps)
		out = append(out, point{c.x + radius*math.Cos(w), c.y + radius*math.Sin(w)})
	}
	return append(out, b)
}

// scanner reads verbs and numbers of path data.
type scanner struct {
	data     string
	verb     byte
	relative bool
}

func (s *scanner) skip() { s.data = strings.TrimLeft(s.data, " ,\n") }

// next prepares for one more step: a new verb, or the last one again.
func (s *scanner) next() bool {
	s.skip()
	if s.data == "" {
		return false
	}
	if c := s.data[0]; c >= 'A' && c != 'e' {
		s.relative = c >= 'a'
		s.verb = bytes.ToUpper([]byte{c})[0]
		s.data = s.data[1:]
	}
	return true
}

func (s *scanner) point() point {
	x := s.number()
	return point{x, s.number()}
}

var number = regexp.MustCompile(`^-?(\d+\.?\d*|\.\d+)`)

func (s *scanner) number() float64 {
	s.skip()
	text := number.FindString(s.data)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("assets: path data at " + s.data)
	}
	s.data = s.data[len(text):]
	return f
}
