package logview

// Names of the columns. They also say which text of a RowText belongs there.
const (
	colTime    = "time"
	colWho     = "who"
	colDevice  = "device"
	colProgram = "program"
	colWhat    = "what"
	colModel   = "model"
	colResult  = "result"
	colWaited  = "waited"
	colFirst   = "first"
	colRate    = "rate"
	colTokens  = "tokens"
	colTook    = "took"
)

// column is one row of the table below. Widths are in points at the drawn text
// size and grow with it.
type column struct {
	id, title string
	width     float32 // holds the longest usual text
	grow      float32 // share of the room that is left over
	rank      int     // the highest steps aside first; 0 never does
	detail    bool    // steps aside as soon as the window is narrow
	right     bool    // numbers end on one line
}

// columns in the order they are shown. At drawn size all of them fit from 1204
// points on, and the five details step aside together below narrowWidth.
var columns = []column{
	{id: colTime, title: "Time", width: 66},
	{id: colWho, title: "Who", width: 112, grow: 2},
	{id: colDevice, title: "Device", width: 102, grow: 1, rank: 3, detail: true},
	{id: colProgram, title: "Program", width: 66, grow: 1.5, rank: 4, detail: true},
	{id: colWhat, title: "What", width: 76, grow: 1},
	{id: colModel, title: "Model", width: 96, grow: 2.5, rank: 1},
	{id: colResult, title: "Result", width: 176, grow: 3},
	{id: colWaited, title: "Waited", width: 48, rank: 6, detail: true, right: true},
	{id: colFirst, title: "First token", width: 66, rank: 5, detail: true, right: true},
	{id: colRate, title: "Tokens/s", width: 54, rank: 7, detail: true, right: true},
	{id: colTokens, title: "In→Out", width: 84, rank: 2, right: true},
	{id: colTook, title: "Took", width: 66, right: true},
}

// narrowWidth is where a window holds the verdicts comfortably but no details.
const narrowWidth = 1000

// Room at the sides of a row and between its columns.
const (
	rowMargin = 20
	columnGap = 14
)
