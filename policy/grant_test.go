package policy

import (
	"encoding/json"
	"testing"
	"time"
)

func TestAGrantComesBackFromJSON(t *testing.T) {
	end := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		g    Grant
		json string
	}{
		{Grant{}, `{"role":"user"}`},
		{Grant{Role: RoleManager}, `{"role":"manager"}`},
		{Grant{Rate: NoRate, Concurrent: NoCap, TokensPerDay: NoCap}, `{"role":"user","rate":"none","concurrent":"none","tokens_per_day":"none"}`},
		{
			Grant{
				Role: RoleManager, Models: mustModels(t, "llama3", "qwen3:*"), Cloud: true, InAddress: true,
				Expires: end, Rate: Rate{60, time.Hour}, Concurrent: 2, TokensPerDay: 200_000,
			},
			`{"role":"manager","models":["llama3","qwen3:*"],"cloud":true,"in_address":true,"expires":"2027-01-31T23:59:59Z","rate":"60/h","concurrent":2,"tokens_per_day":200000}`,
		},
	} {
		b, err := json.Marshal(c.g)
		if err != nil || string(b) != c.json {
			t.Errorf("%+v is %s, %v", c.g, b, err)
		}
		var back Grant
		if err := json.Unmarshal([]byte(c.json), &back); err != nil || back != c.g {
			t.Errorf("%s came back as %+v, %v", c.json, back, err)
		}
	}
}

// A grant from before a limit was known has the default of it, not none.
func TestAnOldGrantHasTheDefaults(t *testing.T) {
	var g Grant
	if err := json.Unmarshal([]byte(`{"role":"user","expires":"2027-01-31T00:00:00Z"}`), &g); err != nil {
		t.Fatal(err)
	}
	if d := g.WithDefaults(); d.Rate != DefaultRate || d.Concurrent != DefaultConcurrent || d.TokensPerDay != NoCap || !d.Models.All() || d.Cloud || d.InAddress {
		t.Errorf("%+v", d)
	}
}

func TestGrantsThatCannotBeRead(t *testing.T) {
	for _, in := range []string{
		`{"role":"owner"}`, `{"role":0}`, `{"models":[]}`, `{"models":null}`, `{"models":"llama3"}`, `{"models":["a b"]}`, `{"cloud":"yes"}`, `{"in_address":1}`,
		`{"expires":"tomorrow"}`, `{"expires":0}`, `{"rate":"0/min"}`, `{"rate":10}`, `{"concurrent":0}`, `{"concurrent":null}`, `{"concurrent":-1}`, `{"tokens_per_day":0}`, `{"tokens_per_day":1.5}`, `[]`, `"x"`,
	} {
		var g Grant
		if err := json.Unmarshal([]byte(in), &g); err == nil {
			t.Errorf("%s was taken as %+v", in, g)
		}
	}
}

// Whatever is read is written and read as the same, and is never wider than
// what a reader of the text was told.
func FuzzGrantJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"role":"manager"}`, `{"role":"user","models":["llama3","hf.co/*"],"cloud":true,"in_address":true}`,
		`{"expires":"2027-01-31T23:59:59Z","rate":"60/h","concurrent":2,"tokens_per_day":200000}`, `{"rate":"none","concurrent":"none","tokens_per_day":"none"}`,
		`{"models":[]}`, `{"models":null}`, `{"concurrent":0}`, `{"rate":""}`, `{"expires":"2027-01-31T23:59:59+02:00"}`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var g Grant
		if json.Unmarshal(b, &g) != nil {
			return
		}
		out, err := json.Marshal(g)
		if err != nil {
			t.Fatalf("%s is %+v, which cannot be written: %v", b, g, err)
		}
		var back Grant
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%s is written as %s, which cannot be read: %v", b, out, err)
		}
		if !back.Expires.Equal(g.Expires) {
			t.Fatalf("%s ends at %v, and written and read at %v", b, g.Expires, back.Expires)
		}
		g.Expires, back.Expires = time.Time{}, time.Time{} // equal moments may have zones that differ
		if back != g {
			t.Fatalf("%s is %+v, and written and read %+v", b, g, back)
		}
		if d := g.WithDefaults(); !d.Rate.Limited() && d.Rate != NoRate || d.Concurrent == 0 || d.TokensPerDay == 0 || d != d.WithDefaults() {
			t.Fatalf("%s has no limit that anybody wrote: %+v", b, d)
		}
	})
}
