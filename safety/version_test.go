package safety

import (
	"strings"
	"testing"
)

func TestVersionsAreOrderedAsSemverHasIt(t *testing.T) {
	// Each comes before the next (semver.org, 11, and what Ollama has released).
	order := []string{
		"0.1.29", "0.1.33", "0.4.0-ci1", "0.4.0-rc0", "0.4.0-rc2", "0.4.0-rc10", "0.4.0", "0.17.1-rc2", "v0.17.1", "0.17.4", "0.17.10",
		"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "10.0.0",
	}
	for i, a := range order {
		for j, b := range order {
			x, ok1 := parseRelease(a)
			y, ok2 := parseRelease(b)
			if !ok1 || !ok2 {
				t.Fatalf("%s %v, %s %v", a, ok1, b, ok2)
			}
			want := min(max(i-j, -1), 1)
			if a == "0.4.0-rc2" && b == "0.4.0-rc10" || b == "0.4.0-rc2" && a == "0.4.0-rc10" {
				want = -want // words, not numbers: rc10 comes first
			}
			if got := x.compare(y); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestBuildMetadataDoesNotCount(t *testing.T) {
	a, ok1 := parseRelease("0.17.4+dirty")
	b, ok2 := parseRelease("0.17.4")
	if !ok1 || !ok2 || a.compare(b) != 0 {
		t.Error("0.17.4+dirty is not 0.17.4")
	}
}

func TestWhatIsNoReleasedVersion(t *testing.T) {
	for _, s := range []string{"", "0.0.0", "0.0.0-dirty", "0.17", "0.17.4.1", "01.2.3", "0.17.x", "0.17.4-", "0.17.4-rc..1", "0.17.4-01", "0.17.4+", "99999999999999999999.0.0", "dev", " 0.17.4", "0.17.-4"} {
		if v, ok := parseRelease(s); ok {
			t.Errorf("%q is taken as %v", s, v)
		}
	}
}

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"0.17.4", "v0.17.5-rc0", "0.4.0-ci1", "1.0.0-alpha.1+build", "0.0.0", "", "1.2.3-99999999999999999999999", "1.2.3--", "1..3"} {
		f.Add(s, "0.17.1", "1.0.0-rc.1")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		x, ok1 := parseRelease(a)
		y, ok2 := parseRelease(b)
		z, ok3 := parseRelease(c)
		if !ok1 || !ok2 || !ok3 {
			return
		}
		if x.compare(x) != 0 {
			t.Errorf("%q is not itself", a)
		}
		if x.compare(y) != -y.compare(x) {
			t.Errorf("%q against %q depends on who asks", a, b)
		}
		if x.compare(y) <= 0 && y.compare(z) <= 0 && x.compare(z) > 0 {
			t.Errorf("%q, %q, %q go round", a, b, c)
		}
		if x.pre != "" {
			if full := (release{x.major, x.minor, x.patch, ""}); x.compare(full) >= 0 {
				t.Errorf("%q does not come before its release", a)
			}
		}
	})
}

func TestAdvisoriesAreWellMade(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range advisories {
		if seen[a.id] || !strings.HasPrefix(a.id, "CVE-") {
			t.Errorf("%s twice, or no CVE", a.id)
		}
		seen[a.id] = true
		if a.what == "" || a.source == "" || strings.HasSuffix(a.what, ".") {
			t.Errorf("%s says nothing, or no source", a.id)
		}
		if (a.fixed == "") == (a.through == "") {
			t.Errorf("%s needs either a first version without it or a last one known to have it", a.id)
		}
		for _, v := range []string{a.from, a.through, a.fixed} {
			if _, ok := parseRelease(v); v != "" && !ok {
				t.Errorf("%s: %q is no version", a.id, v)
			}
		}
	}
	for _, id := range []string{"CVE-2025-0313", "CVE-2025-0314", "CVE-2025-0316", "CVE-2025-63389"} {
		if seen[id] {
			t.Errorf("%s is listed", id)
		}
	}
}

func TestWhichVersionHasWhichHole(t *testing.T) {
	for _, c := range []struct {
		id, version, os string
		want            hit
	}{
		{"CVE-2024-37032", "0.1.33", "linux", hits},
		{"CVE-2024-37032", "0.1.34", "linux", misses},
		{"CVE-2025-44779", "0.1.32", "linux", misses},
		{"CVE-2025-44779", "0.1.33", "linux", hits},
		{"CVE-2024-7773", "0.1.40", "linux", perhaps},
		{"CVE-2024-7773", "0.1.47", "linux", misses},
		{"CVE-2024-12886", "0.4.0-ci1", "linux", misses},
		{"CVE-2024-12886", "0.3.14", "linux", hits},
		{"CVE-2024-12055", "0.3.14", "linux", hits},
		{"CVE-2024-12055", "0.17.4", "linux", perhaps},
		{"CVE-2025-15514", "0.11.4", "linux", misses},
		{"CVE-2025-15514", "0.17.4", "linux", hits},
		{"CVE-2026-7482", "0.17.1-rc1", "linux", hits},
		{"CVE-2026-7482", "0.17.1", "linux", misses},
		{"CVE-2026-42248", "0.17.4", "linux", misses},
		{"CVE-2026-42248", "0.17.4", "windows", hits},
		{"CVE-2026-42248", "0.30.7", "windows", perhaps},
	} {
		v, _ := parseRelease(c.version)
		for _, a := range advisories {
			if a.id == c.id && a.of(v, c.os) != c.want {
				t.Errorf("%s in %s on %s: %d, want %d", c.id, c.version, c.os, a.of(v, c.os), c.want)
			}
		}
	}
}
