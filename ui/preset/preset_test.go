package preset

import (
	"testing"

	"paddock/policy"
)

func TestEveryPresetHasWordsOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range policy.Presets() {
		for _, words := range []string{Title(p.Name), Means(p.Name)} {
			if words == "" || words == p.Name || seen[words] {
				t.Errorf("%s is %q, as another is, or as its name", p.Name, words)
			}
			seen[words] = true
		}
	}
}

func TestAPresetFromANewerListKeepsItsName(t *testing.T) {
	if Title("later") != "later" || Means("later") != "" {
		t.Errorf("%q, %q", Title("later"), Means("later"))
	}
}
