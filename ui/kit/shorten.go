package kit

import (
	"math"
	"strings"

	"fyne.io/fyne/v2"
)

func ceil(f float32) float32 { return float32(math.Ceil(float64(f))) }

// Fingerprint shortens a SHA-256 in its middle, between two bytes: what is left
// are ten, and to find another certificate with the same ten takes 2^80 attempts.
func Fingerprint(whole string) string {
	const head, tail = len("9F:3A:51:0C:7E:B2:"), len(":D8:44:C7:41")
	if len(whole) <= head+tail+len("…") {
		return whole
	}
	return whole[:head] + "…" + whole[len(whole)-tail:]
}

// shorten returns as much of text as fits into width, with "…" for the rest.
// It measures about eight candidates, and only when text or width changed.
func shorten(text string, cut Cut, width, size float32, style fyne.TextStyle) string {
	if text == "" || fyne.MeasureText(text, size, style).Width <= width+0.5 {
		return text
	}
	// What was shortened already gives way at the same place.
	before, after, twice := strings.Cut(text, "…")
	runes, most := []rune(text), len([]rune(text))
	if cut == CutMiddle && twice {
		runes, most = []rune(before+after), len([]rune(after))
	}
	candidate := func(keep int) string {
		if cut == CutMiddle {
			head := max((keep+1)/2, keep-most)
			return string(runes[:head]) + "…" + string(runes[len(runes)-(keep-head):])
		}
		return string(runes[:keep]) + "…"
	}
	low, high := 0, len(runes)-1 // low fits or is all there is
	for low < high {
		mid := (low + high + 1) / 2
		if fyne.MeasureText(candidate(mid), size, style).Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return candidate(low)
}
