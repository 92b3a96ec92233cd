package keystore

import (
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"
	"testing"
)

var shape = regexp.MustCompile(`^pdk_[0-9A-Za-z]{36}$`)

func TestMintedKeysAreWellFormedAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		k := Mint().Reveal()
		if !shape.MatchString(k) || len(k) != 40 {
			t.Fatalf("a key of the wrong shape, %d characters", len(k))
		}
		if s, ok := Parse(k); !ok || s.Reveal() != k {
			t.Fatal("a minted key does not parse")
		}
		if seen[k] {
			t.Fatal("the same key twice")
		}
		seen[k] = true
	}
}

// Each of the 62 characters must be as likely as the next: with a plain "byte
// modulo 62" the first eight would come a quarter more often.
func TestMintIsUnbiased(t *testing.T) {
	const keys = 20_000
	var count [256]int
	for range keys {
		k := Mint().Reveal()
		for i := len(keyPrefix); i < keyLen-sumLen; i++ {
			count[k[i]]++
		}
	}
	want := float64(keys*randomLen) / 62
	var chi float64
	for _, c := range []byte(base62) {
		d := float64(count[c]) - want
		chi += d * d / want
	}
	// 61 degrees of freedom: above 140 once in 30 million runs. The bias above
	// would give about 6,000.
	if chi > 140 {
		t.Errorf("chi squared is %.0f", chi)
	}
}

func TestParseChecksShapeAndChecksum(t *testing.T) {
	good := Mint().Reveal()
	for _, bad := range []string{
		"", "pdk_", good[:39], good + "0", " " + good, good + "\n", "PDK_" + good[4:], "sk-" + good, strings.ToUpper(good),
		good[:10] + "-" + good[11:], good[:10] + "é" + good[12:], good[:10] + "\x00" + good[11:], strings.Repeat("0", 40), "pdk_" + strings.Repeat("0", 36),
	} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q passes for a key", bad)
		}
	}
	// Every typing error of one character and every swap of neighbours.
	for i := len(keyPrefix); i < keyLen; i++ {
		for _, c := range []byte(base62) {
			if c != good[i] {
				if _, ok := Parse(good[:i] + string(c) + good[i+1:]); ok {
					t.Errorf("character %d can be mistyped", i)
				}
			}
		}
		if i+1 < keyLen && good[i] != good[i+1] {
			if _, ok := Parse(good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]); ok {
				t.Errorf("characters %d and %d can be swapped", i, i+1)
			}
		}
	}
}

// The format is a promise to keys that are out already, and to scanners.
func TestParseKnownKeys(t *testing.T) {
	for _, k := range []string{
		"pdk_000000000000000000000000000000" + sumOf("pdk_000000000000000000000000000000"),
		"pdk_abcdefghijklmnopqrstuvwxyzABCD" + sumOf("pdk_abcdefghijklmnopqrstuvwxyzABCD"),
		plain,
	} {
		if _, ok := Parse(k); !ok {
			t.Errorf("%s is no key any more", k)
		}
	}
	if got := HintOf(NewSecret(plain)); got != "pdk_PLA" {
		t.Errorf("its hint is %q", got)
	}
	if HintOf(Secret{}) != "" {
		t.Error("no secret has a hint")
	}
}

// sumOf is the checksum written down a second time, slowly.
func sumOf(s string) string {
	n := uint64(crc32.ChecksumIEEE([]byte(s)))
	out := ""
	for range 6 {
		out = string(base62[n%62]) + out
		n /= 62
	}
	return out
}

func FuzzParse(f *testing.F) {
	f.Add(plain)
	f.Add(strings.ToLower(plain))
	f.Add("pdk_" + strings.Repeat("z", 36))
	f.Add("pdk_" + strings.Repeat("é", 18))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := Parse(s)
		want := shape.MatchString(s) && len(s) == 40 && sumOf(s[:34]) == s[34:]
		if ok != want {
			t.Fatalf("Parse(%q) says %v", s, ok)
		}
		if ok && got.Reveal() != s || !ok && !got.IsZero() {
			t.Fatalf("Parse(%q) gives something else", s)
		}
		if leaks(fmt.Sprint(got)) {
			t.Fatal("shown")
		}
	})
}

func BenchmarkMint(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Mint()
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	k := Mint().Reveal()
	for b.Loop() {
		Parse(k)
	}
}
