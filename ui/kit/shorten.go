package kit

import (
	"math"

	"fyne.io/fyne/v2"
)

func ceil(f float32) float32 { return float32(math.Ceil(float64(f))) }

// shorten returns as much of text as fits into width, with "…" for the rest.
// It measures about eight candidates, and only when text or width changed.
func shorten(text string, cut Cut, width, size float32, style fyne.TextStyle) string {
	if text == "" || fyne.MeasureText(text, size, style).Width <= width+0.5 {
		return text
	}
	runes := []rune(text)
	candidate := func(keep int) string {
		if cut == CutMiddle {
			head := (keep + 1) / 2
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
