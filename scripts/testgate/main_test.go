package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun runs the gate around a real go test of small modules.
func TestRun(t *testing.T) {
	tests := map[string]struct {
		body    string
		ci      bool
		verbose bool
		code    int
		want    []string
		not     []string
	}{
		"all pass": {
			body: `func TestA(t *testing.T) { t.Log("chatter") }`, ci: true,
			want: []string{"ok  \tm", "1 passed, 0 failed, 0 skipped"}, not: []string{"chatter"},
		},
		"verbose shows what passing tests say": {
			body: `func TestA(t *testing.T) { t.Log("chatter") }`, verbose: true,
			want: []string{"chatter", "--- PASS: TestA"},
		},
		"a failing test": {
			body: "func TestA(t *testing.T) { t.Error(\"reason\") }\nfunc TestB(t *testing.T) { t.Log(\"chatter\") }", code: 1,
			want: []string{"--- FAIL: TestA", "reason", "FAIL\tm", "1 passed, 1 failed, 0 skipped"}, not: []string{"chatter"},
		},
		"a panic": {
			body: `func TestA(t *testing.T) { panic("the reason") }`, code: 1,
			want: []string{"panic: the reason", "FAIL\tm"},
		},
		"a test that does not compile": {
			body: `func TestA(t *testing.T) { undefinedName() }`, code: 1,
			want: []string{"undefined: undefinedName", "no test ran"},
		},
		"a skip at a desk": {
			body: "func TestA(t *testing.T) { t.Skip(\"no screen\") }\nfunc TestB(t *testing.T) {}",
			want: []string{"SKIPPED m TestA: ", "no screen", "1 passed, 0 failed, 1 skipped"},
		},
		"a skip in CI": {
			body: "func TestA(t *testing.T) { t.Skip(\"no screen\") }\nfunc TestB(t *testing.T) {}", ci: true, code: 1,
			want: []string{"no screen", "a skipped test is a failure"},
		},
		"a skip in CI, verbose": {
			body: "func TestA(t *testing.T) { t.Skip(\"no screen\") }\nfunc TestB(t *testing.T) {}", ci: true, verbose: true, code: 1,
			want: []string{"SKIPPED m TestA: ", "a skipped test is a failure"},
		},
		"a widget touched off its thread": {
			body: `func TestA(t *testing.T) { println("*** Error in Fyne call thread, fyne.Do[AndWait] called from main goroutine ***") }`, code: 1,
			want: []string{"testgate: Error in Fyne call thread in m"},
		},
		"nothing to run": {
			body: `var _ testing.T`, code: 1,
			want: []string{"no test ran"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"go.mod": "module m\n", "m_test.go": "package m\n\nimport \"testing\"\n\n" + tt.body + "\n"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			code := run([]string{"go", "-C", dir, "test", "./..."}, tt.verbose, tt.ci, &out)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q should not be shown", not)
				}
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

func TestRunNeedsGoTest(t *testing.T) {
	var out strings.Builder
	if code := run([]string{"go", "vet"}, false, false, &out); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
}
