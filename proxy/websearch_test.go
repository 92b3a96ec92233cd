package proxy

import (
	"encoding/json"
	"strings"
	"testing"
)

// Ollama's Anthropic dialect runs a tool of type web_search itself, signed with
// the owner's account, and not every version refuses it for local models.
func TestWebSearchSpendsTheOwnersAccount(t *testing.T) {
	for body, want := range map[string]bool{
		`{"model":"m","tools":[{"type":"web_search_20250305","name":"web_search"}]}`:                     true,
		`{"model":"m","tools":[{"name":"x","input_schema":{}},{"TYPE":"Web_Search_20250305"}]}`:          true,
		"  \n" + `{"Tools":[{"type":"web_search"}]}`:                                                     true,
		`{"model":"m","tools":[{"name":"web_search","input_schema":{"type":"object"}}]}`:                 false,
		`{"model":"m","tools":[{"type":"custom","name":"web_search"}]}`:                                  false,
		`{"model":"m","messages":[{"role":"user","content":"{\"tools\":[{\"type\":\"web_search\"}]}"}]}`: false,
		`{"model":"m","tools":null}`: false,
		`{"model":"m"}`:              false,
	} {
		if got := searchesTheWeb([]byte(body)); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

// Whatever body passes the model check: a search that Ollama's own decoder sees
// is seen here.
func FuzzWebSearch(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","tools":[{"type":"web_search_20250305"}]}`,
		`{"tools":[{"type":"web_search"}],"tools":[{}]}`,
		`{"tools":[{"type":1},{"type":"web_search"}]}`,
		`{"tools":{"type":"web_search"},"TOOLS":[[]]}`,
		`{"t\u006fols":[{"typ\u0065":"web\u005fsearch"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, ok := peekModel(body, "model"); !ok {
			return
		}
		var seen struct {
			Tools []struct{ Type string }
		}
		_ = json.Unmarshal(body, &seen) // goes on behind a member of another type
		for _, tool := range seen.Tools {
			if strings.HasPrefix(strings.ToLower(tool.Type), "web_search") && !searchesTheWeb(body) {
				t.Fatalf("%s: a search that the gate does not see", body)
			}
		}
		searchesTheWeb(body) // and it takes whatever else passes
	})
}
