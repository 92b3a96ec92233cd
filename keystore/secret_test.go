package keystore

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

// plain is a well-formed key whose parts are easy to find in a text.
const plain = "pdk_PLAINPLAINPLAINPLAINPLAINPLAIN2hbPcY"

// leaks says whether a text holds enough of the secret to matter, as it is or
// in the ways in which formatters write bytes.
func leaks(s string) bool {
	for _, part := range []string{
		"PLAIN", fmt.Sprintf("%x", "PLAIN"), fmt.Sprintf("%X", "PLAIN"), fmt.Sprintf("% x", "PLAIN"), "80 76 65 73 78", "0x50, 0x4c",
	} {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

type exported struct {
	Name string
	Key  Secret
	Ptr  *Secret
	List []Secret
	Map  map[string]Secret
}

type unexported struct {
	name string
	key  Secret
	deep struct{ ptr *Secret }
}

func TestSecretIsHiddenFromEveryVerb(t *testing.T) {
	s := NewSecret(plain)
	in := unexported{name: "n", key: s}
	in.deep.ptr = &s
	values := []any{
		s, &s,
		[]Secret{s},
		[1]Secret{s},
		map[string]Secret{"k": s},
		struct{ any }{s},
		any(s),
		exported{"n", s, &s, []Secret{s}, map[string]Secret{"k": s}},
		&exported{Key: s}, in, &in,
		fmt.Errorf("key %v: %w", s, errors.New("x")),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T", "%t", "%c", "%U", "%40s", "%.3s", "%08v", "%!"}
	for _, v := range values {
		for _, verb := range verbs {
			if got := fmt.Sprintf(verb, v); leaks(got) {
				t.Errorf("%s of %T shows the secret", verb, v)
			}
		}
		if leaks(fmt.Sprint(v)) || leaks(fmt.Sprintln(v)) {
			t.Errorf("Print of %T shows the secret", v)
		}
	}
	for _, verb := range []string{"%v", "%s", "%q", "%#v"} {
		if got := fmt.Sprintf(verb, s); got != "pdk_…hidden" {
			t.Errorf("%s is %q", verb, got)
		}
	}
	if s.String() != "pdk_…hidden" || s.GoString() != "pdk_…hidden" {
		t.Error("String or GoString does not say that something is hidden")
	}
}

func TestSecretIsHiddenFromEncodersAndLogs(t *testing.T) {
	s := NewSecret(plain)
	in := unexported{name: "n", key: s}
	in.deep.ptr = &s
	values := map[string]any{
		"plain": s, "pointer": &s, "exported": exported{"n", s, &s, []Secret{s}, map[string]Secret{"k": s}}, "unexported": in,
		"key of a map": map[string]any{"a": s},
	}
	for what, v := range values {
		var out bytes.Buffer
		if b, err := json.Marshal(v); err != nil || leaks(string(b)) {
			t.Errorf("%s: JSON is %s, %v", what, b, err)
		}
		text := slog.New(slog.NewTextHandler(&out, nil))
		text.Info("x", "v", v, slog.Any("w", v), slog.Group("g", "v", v))
		js := slog.New(slog.NewJSONHandler(&out, nil))
		js.Info("x", "v", v, slog.Any("w", v))
		slog.New(slog.NewJSONHandler(&out, nil)).With("v", v).Error("y")
		_ = gob.NewEncoder(&out).Encode(v) // refuses
		_ = xml.NewEncoder(&out).Encode(v) // hides or refuses
		_ = template.Must(template.New("").Parse("{{.}} {{printf \"%s %x\" . .}}")).Execute(&out, v)
		if leaks(out.String()) {
			t.Errorf("%s: shown in %s", what, out.String())
		}
	}
	if b, _ := json.Marshal(s); string(b) != `"pdk_…hidden"` {
		t.Errorf("JSON is %s", b)
	}
	if b, _ := s.MarshalText(); string(b) != "pdk_…hidden" {
		t.Errorf("text is %s", b)
	}
}

func TestSecretRevealsAndCompares(t *testing.T) {
	s := NewSecret(plain)
	var none Secret
	if s.Reveal() != plain || s.IsZero() || !s.Equal(NewSecret(plain)) || s.Equal(none) || s.Equal(NewSecret("pdk_")) {
		t.Error("a secret does not reveal or compare what it holds")
	}
	if none.Reveal() != "" || !none.IsZero() || !none.Equal(NewSecret("")) {
		t.Error("the zero secret is not empty")
	}
	if none.String() != "pdk_…hidden" {
		t.Error("the zero secret tells that it is empty")
	}
}
