package ggufgen

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	var first []byte
	for range 3 {
		var b bytes.Buffer
		if err := Write(&b, Options{Ends: true}); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b.Bytes(), []byte("GGUF\x03\x00\x00\x00")) {
			t.Fatalf("the file begins with %q", b.Bytes()[:8])
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Fatal("two files differ")
		}
	}
	if n := len(first); n > 1<<20 {
		t.Errorf("the small model has %d bytes", n)
	}
}

func TestACorpusThatCannotBeRecitedIsRefused(t *testing.T) {
	for _, corpus := range []string{" \n ", "to be or not to be"} {
		if err := Write(&bytes.Buffer{}, Options{Corpus: corpus}); err == nil {
			t.Errorf("%q was taken", corpus)
		}
	}
	if err := Write(&bytes.Buffer{}, Options{Dim: 100}); err == nil || !strings.Contains(err.Error(), "32") {
		t.Errorf("an odd length: %v", err)
	}
}

func TestFloat16(t *testing.T) {
	for x, want := range map[float32]uint16{0: 0, 1: 0x3c00, -2: 0xc000, 0.5: 0x3800, 1e-9: 0, 1e9: 0x7bff} {
		if got := float16(x); got != want {
			t.Errorf("%v: got %#x, want %#x", x, got, want)
		}
	}
}
