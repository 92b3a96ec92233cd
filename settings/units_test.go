package settings

import (
	"math"
	"testing"
	"time"
)

func TestDurationsAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		in    string
		want  time.Duration
		shown string
	}{
		{"90m", 90 * time.Minute, "1h30m"},
		{"24h", 24 * time.Hour, "1d"},
		{"30d", 30 * 24 * time.Hour, "30d"},
		{"2w", 14 * 24 * time.Hour, "14d"},
		{"1d12h", 36 * time.Hour, "1d12h"},
		{"1500ms", 1500 * time.Millisecond, "1s500ms"},
		{"3µs", 3 * time.Microsecond, "3us"},
		{" 5s ", 5 * time.Second, "5s"},
		{"none", 0, "none"},
		{"106751d", 106751 * 24 * time.Hour, "106751d"}, // the most whole days that fit
	} {
		got, err := ParseDuration(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
		if shown := FormatDuration(got); shown != c.shown {
			t.Errorf("FormatDuration(%v) = %q, want %q", got, shown, c.shown)
		}
	}
	for _, in := range []string{
		"", " ", "0", "0s", "0d0h", "5", "d", "-5m", "+5m", "1.5h", "5 m", "5x", "5m!", "NONE", "５m", "1e3s", "5M", "5D",
		"106752d", "99999999999999999999d", "9223372036854775807ns1ns", "2562047h60m",
	} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want it refused", in, got)
		}
	}
}

func TestADurationBelowNothingIsStillPrinted(t *testing.T) {
	if got := FormatDuration(-90 * time.Minute); got != "-1h30m" {
		t.Errorf("got %q", got)
	}
	if got := FormatDuration(math.MinInt64); got[0] != '-' {
		t.Errorf("got %q", got)
	}
}

func TestSizesAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		in    string
		want  int64
		shown string
	}{
		{"16MiB", 16 << 20, "16MiB"},
		{"16 mib", 16 << 20, "16MiB"},
		{"16MB", 16e6, "15625KiB"},
		{"1KB", 1000, "1KB"},
		{"4096", 4096, "4KiB"},
		{"17B", 17, "17B"},
		{"3TB", 3e12, "2929687500KiB"},
		{"none", 0, "none"},
		{"9223372036854775807", math.MaxInt64, "9223372036854775807B"},
	} {
		got, err := ParseSize(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseSize(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
		if shown := FormatSize(got); shown != c.shown {
			t.Errorf("FormatSize(%v) = %q, want %q", got, shown, c.shown)
		}
	}
	for _, in := range []string{"", "0", "0MiB", "16M", "16G", "MiB", "-1MiB", "1.5GiB", "16MiBs", "1 6MiB", "9223372036854775808", "8388608TiB", "99999999999999999999"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %v, want it refused", in, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90m", "24h", "30d", "2w", "none", "1h30m", "9223372036854775807ns", "-1s", "µs", "1µs"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) = %d, an overflow", s, d)
		}
		shown := FormatDuration(d)
		if again, err := ParseDuration(shown); err != nil || again != d {
			t.Fatalf("%q is %d, shown as %q, which is %d, %v", s, d, shown, again, err)
		}
		// What Go reads too, and both take, is the same time.
		if g, err := time.ParseDuration(s); err == nil && g != d {
			t.Fatalf("%q is %d to us, %d to Go", s, d, g)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"16MiB", "16 MB", "4096", "none", "9223372036854775807", "8388607TiB", "1B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("ParseSize(%q) = %d, an overflow", s, n)
		}
		shown := FormatSize(n)
		if again, err := ParseSize(shown); err != nil || again != n {
			t.Fatalf("%q is %d, shown as %q, which is %d, %v", s, n, shown, again, err)
		}
	})
}
