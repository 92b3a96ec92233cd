//go:build !lite

package desk

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/logview"
	"paddock/ui/theme"
)

// Recent is how many requests the screen shows.
const Recent = 5

// strip is the newest requests. Its place is as high when it is empty, so that
// the first request moves nothing.
type strip struct {
	content *fyne.Container
	columns *kit.Columns
	header  *kit.Header
	rows    [Recent]*stripRow
	list    *fyne.Container
	empty   *kit.Paragraph
}

type stripRow struct {
	row                            *kit.Row
	time, who, what, model, in, to *kit.Text
	chip                           *kit.Chip
	result                         *kit.State
}

var stripColumns = []kit.Column{
	{ID: "time", Title: "Time", Width: 62},
	{ID: "who", Title: "Who", Width: 116, Grow: 1},
	{ID: "what", Title: "What", Width: 88, Rank: 4},
	{ID: "model", Title: "Model", Width: 112, Grow: 1, Rank: 3},
	{ID: "result", Title: "Result", Width: 168},
	{ID: "tokens", Title: "In→Out", Width: 76, Right: true, Rank: 2},
	{ID: "took", Title: "Took", Width: 48, Right: true, Rank: 1},
}

func newStrip(open func()) *strip {
	s := &strip{columns: kit.NewColumns(theme.CardPadX, theme.CardPadX, theme.Space16, stripColumns...)}
	s.header = kit.NewHeader(s.columns)
	s.list = kit.VBox(0)
	for i := range s.rows {
		r := &stripRow{
			time: kit.NewText(kit.CellMuted, ""), who: kit.NewText(kit.Cell, "").Shorten(kit.CutEnd), what: kit.NewText(kit.Cell, "").Shorten(kit.CutEnd),
			model: kit.NewText(kit.CellMuted, "").Shorten(kit.CutEnd), in: kit.NewText(kit.CellMuted, "").Right(), to: kit.NewText(kit.CellMuted, "").Right(),
			chip: kit.NewChip("", 0, false), result: kit.NewState(kit.Neutral, "", "").InRow(),
		}
		cells := s.columns.Cells(r.time, kit.HBox(theme.Space8, r.chip, kit.Grow(r.who)), r.what, r.model, r.result, r.in, r.to)
		r.row = kit.NewRow("Request", theme.SizeStripRow, cells, open)
		s.rows[i] = r
		s.list.Add(r.row)
	}
	s.empty = kit.NewParagraph(kit.Muted, "").Centered()
	middle := kit.VBox(0, kit.Space(), kit.MaxWidthCentered(540, s.empty), kit.Space())
	s.content = kit.VBox(0, s.header, container.New(room{s.list}, s.list, middle))
	return s
}

// room is as high as the whole list, however many rows are shown.
type room struct{ list *fyne.Container }

// MinSize belongs to Fyne.
func (r room) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, row := range r.list.Objects {
		m.Height += row.MinSize().Height
	}
	for _, o := range objects {
		m.Width = max(m.Width, o.MinSize().Width)
	}
	return m
}

// Layout belongs to Fyne.
func (room) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

// show paints the newest requests, the newest first.
func (s *strip) show(recent []requestlog.Entry, st share.State, now time.Time) {
	for i, r := range s.rows {
		if i >= len(recent) {
			show(r.row, false)
			continue
		}
		r.set(recent[i], now)
		show(r.row, true)
	}
	text := ""
	if len(recent) == 0 {
		text = "No requests yet. They show here as they come, with who, what and how long."
		if st.Phase == share.Sharing && len(st.Keys.List) > 0 {
			text = "No requests yet. Give a teammate a key, and their first request shows here."
		}
	}
	s.empty.SetText(text)
	show(s.empty, text != "")
}

func (r *stripRow) set(e requestlog.Entry, now time.Time) {
	text := logview.Row(e, now)
	r.time.SetText(text.Time)
	r.who.SetText(text.Who)
	chip := 0
	if e.KeyID != "" {
		chip = e.Colour + 1
	}
	r.chip.Set(text.Letter, chip)
	what := text.What
	if what == "" {
		what = e.Method // an endpoint that the gate does not know has no word
	}
	r.what.SetText(what)
	r.model.SetText(strings.TrimSuffix(text.Model, ":latest"))
	tone, icon := look(text.Mark)
	r.result.Set(tone, icon, text.Result)
	r.in.SetText(text.Tokens)
	r.to.SetText(text.Took)
}

// look is the tone of a result and the shape where it is not the tone's own.
func look(m logview.Mark) (kit.Tone, assets.Icon) {
	switch m {
	case logview.MarkRunning:
		return kit.Allowed, assets.Running
	case logview.MarkRefused:
		return kit.Refused, ""
	case logview.MarkAttention:
		return kit.Attention, ""
	case logview.MarkWaiting:
		return kit.Waiting, ""
	case logview.MarkStopped:
		return kit.Paused, assets.Stop
	case logview.MarkPaused:
		return kit.Paused, ""
	case logview.MarkEvent:
		return kit.Neutral, assets.Share
	case logview.MarkDone:
	}
	return kit.Allowed, ""
}
