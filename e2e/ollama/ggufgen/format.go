package ggufgen

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// alignment is where tensors may begin in the file.
const alignment = 32

// pair is one line of metadata. The value is a string, uint32, float32, bool,
// []string, []float32 or []int32.
type pair struct {
	key   string
	value any
}

// tensor is a matrix, or a vector if its shape has one number. The fastest
// dimension comes first.
type tensor struct {
	name  string
	shape []int
	data  []float32
}

// half says whether the tensor is stored in 16 bits: matrices are, vectors are
// not.
func (t tensor) half() bool { return len(t.shape) > 1 }

// size is the number of bytes in the file, without padding.
func (t tensor) size() int {
	if t.half() {
		return 2 * len(t.data)
	}
	return 4 * len(t.data)
}

func (t tensor) write(w *bufio.Writer) {
	var b []byte
	for _, x := range t.data {
		if t.half() {
			b = binary.LittleEndian.AppendUint16(b[:0], float16(x))
		} else {
			b = binary.LittleEndian.AppendUint32(b[:0], math.Float32bits(x))
		}
		_, _ = w.Write(b) // the error stays in w and Flush tells it
	}
}

// padding is what follows n bytes up to the next place where a tensor may begin.
func padding(n int) []byte { return make([]byte, (alignment-n%alignment)%alignment) }

// writeGGUF writes a GGUF file of version 3.
func writeGGUF(w io.Writer, meta []pair, ts []tensor) error {
	h := header{}
	h.WriteString("GGUF")
	h.put(uint32(3), uint64(len(ts)), uint64(len(meta)))
	for _, p := range meta {
		h.string(p.key)
		if err := h.value(p.value); err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
	}
	offset := 0
	for _, t := range ts {
		h.string(t.name)
		h.put(uint32(len(t.shape)))
		for _, n := range t.shape {
			h.put(uint64(n))
		}
		kind := uint32(0) // 32-bit floats
		if t.half() {
			kind = 1 // 16-bit floats
		}
		h.put(kind, uint64(offset))
		offset += t.size() + len(padding(t.size()))
	}
	h.Write(padding(h.Len()))
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.Write(h.Bytes())
	for _, t := range ts {
		t.write(out)
		_, _ = out.Write(padding(t.size()))
	}
	return out.Flush()
}

// header collects the part of the file before the tensors.
type header struct{ bytes.Buffer }

func (h *header) put(numbers ...any) {
	for _, n := range numbers {
		_ = binary.Write(h, binary.LittleEndian, n) // a buffer takes everything
	}
}

func (h *header) string(s string) {
	h.put(uint64(len(s)))
	h.WriteString(s)
}

// The kinds of value in GGUF metadata.
const (
	kindUint32 uint32 = 4
	kindInt32  uint32 = 5
	kindFloat  uint32 = 6
	kindBool   uint32 = 7
	kindString uint32 = 8
	kindArray  uint32 = 9
)

func (h *header) value(v any) error {
	switch x := v.(type) {
	case string:
		h.put(kindString)
		h.string(x)
	case uint32:
		h.put(kindUint32, x)
	case float32:
		h.put(kindFloat, x)
	case bool:
		h.put(kindBool, x)
	case []string:
		h.put(kindArray, kindString, uint64(len(x)))
		for _, s := range x {
			h.string(s)
		}
	case []float32:
		h.put(kindArray, kindFloat, uint64(len(x)), x)
	case []int32:
		h.put(kindArray, kindInt32, uint64(len(x)), x)
	default:
		return fmt.Errorf("a %T has no place in GGUF", v)
	}
	return nil
}

// float16 rounds to half precision; what is too small becomes 0 and what is too
// large the largest number.
func float16(x float32) uint16 {
	bits := math.Float32bits(x)
	sign := uint16(bits>>16) & 0x8000
	exponent := int(bits>>23&0xff) - 127 + 15
	fraction := bits&0x7fffff + 0x1000 // round half up
	if fraction&0x800000 != 0 {
		fraction = 0
		exponent++
	}
	switch {
	case exponent <= 0:
		return sign
	case exponent >= 31:
		return sign | 0x7bff
	}
	return sign | uint16(exponent)<<10 | uint16(fraction>>13)
}
