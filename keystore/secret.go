package keystore

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// hidden is all that a Secret shows of itself.
const hidden = keyPrefix + "…hidden"

// Secret is a text that nobody can print by accident. Whatever prints, logs or
// encodes it gets "pdk_…hidden"; only Reveal gives it out. The zero value is
// no secret. A Secret is immutable and safe for concurrent use.
type Secret struct {
	// A closure rather than a string: fmt calls no methods on what it finds in
	// unexported fields of other structs and prints the bytes themselves. Of a
	// func it can only print the address. It also makes == a compile error,
	// which would compare in a time that tells about the content.
	reveal func() string
}

// NewSecret hides s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{func() string { return s }}
}

// Reveal gives the text out. Its callers are the ones to look at in a review.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal compares in a time that depends on the lengths alone.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// String implements fmt.Stringer and hides the text.
func (Secret) String() string { return hidden }

// GoString implements fmt.GoStringer and hides the text.
func (Secret) GoString() string { return hidden }

// Format implements fmt.Formatter and hides the text from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer and hides the text.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON implements json.Marshaler and hides the text.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText implements encoding.TextMarshaler and hides the text.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
