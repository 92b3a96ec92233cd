package proxy

import "testing"

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
