//go:build e2e && !lite

package keys

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Node and Python read the code that teammates are given.
func TestNodeAndPythonReadTheirCode(t *testing.T) {
	read := map[string]bool{}
	for name, code := range pieces() {
		kind := language(code)
		if read[code] {
			continue // gates that differ in nothing that it shows
		}
		var cmd *exec.Cmd
		file := filepath.Join(t.TempDir(), fmt.Sprint("snippet.", kind))
		switch kind {
		case "mjs":
			cmd = exec.CommandContext(t.Context(), "node", "--check", file)
		case "py":
			cmd = exec.CommandContext(t.Context(), "python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", file)
		default:
			continue
		}
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, code, out)
		}
		read[code] = true
	}
	if len(read) < 8 {
		t.Errorf("only %d pieces were read", len(read))
	}
}
