package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// A reason that is missing from Reasons would escape the tests that each is
// produced and worded.
func TestReasonsListsEveryReason(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Reason" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !slices.Contains(Reasons(), Reason(text)) {
			t.Errorf("%s is not listed", spec.Names[0].Name)
		}
		return true
	})
	if n != len(Reasons()) {
		t.Errorf("%d reasons are declared and %d listed", n, len(Reasons()))
	}
	sorted := slices.Clone(Reasons())
	slices.Sort(sorted)
	if len(slices.Compact(sorted)) != n {
		t.Error("two reasons have the same text")
	}
}

func TestStatusOfEveryReason(t *testing.T) {
	for _, r := range Reasons() {
		s := r.Status()
		switch {
		case r == Allowed && s != 0:
			t.Errorf("Allowed answers %d of its own", s)
		case r != Allowed && (s < 400 || s > 599):
			t.Errorf("%s answers %d", r, s)
		case r.Failed() != (s >= 500 && r != Draining && r != QueueFull && r != Paused):
			t.Errorf("%s: status %d, failed %v", r, s, r.Failed())
		case s == 500 && r != InternalFault:
			t.Errorf("%s fell through to 500", r)
		}
	}
	for _, r := range []Reason{NoKey, TwoKeys, MalformedKey, WrongKey, SuspendedKey, ExpiredKey, KeyInAddress} {
		if r.Status() != 401 {
			t.Errorf("%s answers %d", r, r.Status())
		}
	}
	if Reason("new").Status() != 500 || Reason("").Status() != 500 || (Verdict{}).OK() {
		t.Error("a reason nobody knows must not pass")
	}
}
