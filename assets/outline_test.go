package assets

import (
	"bytes"
	"math"
	"testing"
)

// Fyne 2.8 draws a stroke of 1.75 as 1.75 pixels at every size, so icons of 28
// points looked half as bold as those of 16. No stroke may leave the package.
func TestNoStrokeLeavesThePackage(t *testing.T) {
	drawings := map[string][]byte{"app": AppSVG(), "scene": Scene(false), "dark scene": Scene(true)}
	for _, icon := range Icons() {
		drawings[string(icon)] = icon.SVG()
	}
	for _, shape := range TrayShapes() {
		drawings["tray "+string(shape)] = TraySVG(shape)
	}
	for name, svg := range drawings {
		if bytes.Contains(svg, []byte("stroke")) {
			t.Errorf("%s still has a stroke", name)
		}
	}
}

func box(t *testing.T, d string) (low, high point) {
	t.Helper()
	low, high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	svg := outlined([]byte(`<path stroke="#000000" stroke-width="2" stroke-linecap="round" d="` + d + `"/>`))
	for _, line := range flatten(string(attr.FindAllSubmatch(svg, -1)[1][2])) {
		for _, p := range line.points {
			low = point{min(low.x, p.x), min(low.y, p.y)}
			high = point{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	return low, high
}

func TestOutlineCoversWhatThePenWould(t *testing.T) {
	for _, c := range []struct {
		name, d   string
		low, high point
	}{
		{"a line with round ends", "M4 12H20", point{3, 11}, point{21, 13}},
		{"a line drawn backwards", "M20 12H4", point{3, 11}, point{21, 13}},
		{"a dot", "M12 12v0", point{11, 11}, point{13, 13}},
		{"a closed box", "M4 5h16v14H4z", point{3, 4}, point{21, 20}},
		{"a box drawn the other way", "M4 5v14h16V5z", point{3, 4}, point{21, 20}},
		{"a circle of two arcs", "M20 12a8 8 0 1 1-16 0a8 8 0 0 1 16 0z", point{3, 3}, point{21, 21}},
		{"numbers without spaces", "M9 9h9.5a1.5 1.5 0 0 1 1.5 1.5v8", point{8, 8}, point{21, 19.5}},
		{"a curve", "M12 3.5c5 4.5 5 12.5 0 17", point{11, 2.5}, point{16.75, 21.5}},
	} {
		low, high := box(t, c.d)
		if low.minus(c.low).length() > 0.1 || high.minus(c.high).length() > 0.1 {
			t.Errorf("%s: %.2f to %.2f, want %v to %v", c.name, low, high, c.low, c.high)
		}
	}
}

func TestButtEndsStayShort(t *testing.T) {
	svg := outlined([]byte(`<path stroke="#000000" stroke-width="2" d="M4 12H20"/>`))
	if got, want := string(svg), `<path fill="#000000" d="M4 11L20 11L20 13L4 13Z"/>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAFilledShapeIsLeftAlone(t *testing.T) {
	const svg = `<path fill="#000000" d="M0 0h4v4z"/>`
	if got := string(outlined([]byte(svg))); got != svg {
		t.Errorf("got %s", got)
	}
}
