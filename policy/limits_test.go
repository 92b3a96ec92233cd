package policy

import (
	"encoding/json"
	"testing"
	"time"
)

func TestRatesAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		in    string
		want  Rate
		shown string
	}{
		{"10/min", Rate{10, time.Minute}, "10/min"},
		{"10 / minute", Rate{10, time.Minute}, "10/min"},
		{"10/m", Rate{10, time.Minute}, "10/min"},
		{"1/s", Rate{1, time.Second}, "1/s"},
		{"1/sec", Rate{1, time.Second}, "1/s"},
		{"1/second", Rate{1, time.Second}, "1/s"},
		{"500/h", Rate{500, time.Hour}, "500/h"},
		{"500/hour", Rate{500, time.Hour}, "500/h"},
		{"2000/Day", Rate{2000, 24 * time.Hour}, "2000/day"},
		{"2000/D", Rate{2000, 24 * time.Hour}, "2000/day"},
		{" 007/MIN ", Rate{7, time.Minute}, "7/min"},
		{"2147483647/day", Rate{2147483647, 24 * time.Hour}, "2147483647/day"},
		{"none", NoRate, "none"},
		{" none ", NoRate, "none"},
	} {
		got, err := ParseRate(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
		if shown := got.String(); shown != c.shown {
			t.Errorf("%v is shown as %q, want %q", c.want, shown, c.shown)
		}
		if got.Limited() != (c.shown != None) {
			t.Errorf("%q: limited %v", c.in, got.Limited())
		}
	}
	for _, in := range []string{
		"", " ", "10", "10/", "/min", "/", "0/min", "00/s", "-1/min", "+1/min", "10/min/s", "10/week", "10/mins", "1.5/s", "10x/s", "1e3/s", "１/s", "1 0/s", "10/ſ",
		"2147483648/s", "99999999999999999999/s", "NONE", "None", "no", "unlimited", "none/s", "*", "10/min\x00",
	} {
		if got, err := ParseRate(in); err == nil || got != (Rate{}) {
			t.Errorf("ParseRate(%q) = %v, %v, want it refused", in, got, err)
		}
	}
}

func TestCapsAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		in    string
		want  Cap
		shown string
	}{
		{"1", 1, "1"},
		{" 200000 ", 200000, "200000"},
		{"0010", 10, "10"},
		{"9223372036854775807", 1<<63 - 1, "9223372036854775807"},
		{"none", NoCap, "none"},
	} {
		got, err := ParseCap(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseCap(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
		if got.String() != c.shown || got.Limited() != (c.shown != None) {
			t.Errorf("%q is shown as %q, limited %v", c.in, got, got.Limited())
		}
	}
	for _, in := range []string{"", " ", "0", "00", "-1", "+1", "1.0", "1e3", "1k", "0x10", "1_000", "1 000", "１", "9223372036854775808", "NONE", "null"} {
		if got, err := ParseCap(in); err == nil || got != 0 {
			t.Errorf("ParseCap(%q) = %v, %v, want it refused", in, got, err)
		}
	}
}

func TestLimitsThatSayNothing(t *testing.T) {
	if (Rate{}).String() != "" || Cap(0).String() != "" || (Rate{}).Limited() || Cap(0).Limited() {
		t.Error("a limit that says nothing says something")
	}
	g := Grant{}.WithDefaults()
	if want := (Grant{Rate: DefaultRate, Concurrent: DefaultConcurrent, TokensPerDay: NoCap}); g != want {
		t.Errorf("the defaults are %+v", g)
	}
	if again := g.WithDefaults(); again != g {
		t.Errorf("the defaults of the defaults are %+v", again)
	}
	off := Grant{Rate: NoRate, Concurrent: NoCap, TokensPerDay: NoCap}
	if off.WithDefaults() != off {
		t.Error("a limit that the owner switched off came back")
	}
	own := Grant{Rate: Rate{1, time.Second}, Concurrent: 1, TokensPerDay: 1, Cloud: true}
	if own.WithDefaults() != own {
		t.Error("the owner's own limits were changed")
	}
	for _, half := range []Rate{{Count: 5}, {Per: time.Minute}, {Count: -5}, {Count: -1, Per: time.Minute}, {Count: 5, Per: -time.Minute}} {
		if got := (Grant{Rate: half}).WithDefaults().Rate; got != DefaultRate {
			t.Errorf("half a rate %#v became %v", half, got)
		}
	}
}

func TestLimitsInJSON(t *testing.T) {
	for _, r := range []Rate{{}, {1, time.Second}, {120, time.Minute}, {500, time.Hour}, {9, 24 * time.Hour}, NoRate} {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back := Rate{3, time.Hour}
		if err := json.Unmarshal(b, &back); err != nil || back != r {
			t.Errorf("%#v is %s, which is %#v, %v", r, b, back, err)
		}
	}
	for _, r := range []Rate{{5, 90 * time.Second}, {Count: 5}, {Per: time.Minute}, {-5, time.Minute}, {Count: -2}} {
		if b, err := json.Marshal(r); err == nil {
			t.Errorf("%#v was written as %s, which nobody can read back", r, b)
		}
	}
	for _, c := range []Cap{1, 1 << 40, 1<<63 - 1, NoCap} {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Cap
		if err := json.Unmarshal(b, &back); err != nil || back != c {
			t.Errorf("%d is %s, which is %d, %v", c, b, back, err)
		}
	}
	for _, in := range []string{`0`, `-1`, `1.5`, `1e3`, `"5"`, `"\"none\""`, `""`, `null`, `true`, `[1]`, `"NONE"`, `9223372036854775808`} {
		c := Cap(7)
		if err := json.Unmarshal([]byte(in), &c); err == nil || c != 7 {
			t.Errorf("the cap %s was taken as %v, %v", in, c, err)
		}
	}
	for _, in := range []string{`"0/min"`, `"10"`, `10`, `true`, `{}`, `"-1/s"`} {
		r := Rate{7, time.Second}
		if err := json.Unmarshal([]byte(in), &r); err == nil || r != (Rate{7, time.Second}) {
			t.Errorf("the rate %s was taken as %v, %v", in, r, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"10/min", "1/s", "500 / hour", "none", "2147483647/day", "1//s", "0/s", "-1/s", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		if !r.Limited() && r != NoRate {
			t.Fatalf("ParseRate(%q) = %#v, half a limit", s, r)
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Fatalf("%q is %#v, shown as %q, which is %#v, %v", s, r, r, again, err)
		}
	})
}
