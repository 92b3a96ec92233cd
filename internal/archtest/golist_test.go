package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// build is one of the programs that the law is checked against.
type build struct {
	name    string
	edition Edition
	os      string
	cgo     string
	tags    string
	others  bool // other people's packages are complete, so a fault in one is an error
}

// builds lists every edition on every system for which it is made. `go list`
// resolves imports without a compiler, so all of them can be checked anywhere.
var builds = []build{
	{name: "full, linux", edition: Full, os: "linux", cgo: "1", others: true},
	{name: "full, windows", edition: Full, os: "windows", cgo: "1", others: true},
	{name: "full, darwin", edition: Full, os: "darwin", cgo: "1", others: true},
	{name: "full, tests", edition: Full, os: "linux", cgo: "1", tags: "ci,e2e"},
	{name: "lite, linux", edition: Lite, os: "linux", cgo: "1", tags: "lite", others: true},
	{name: "lite, linux, static", edition: Lite, os: "linux", cgo: "0", tags: "lite", others: true},
	{name: "lite, windows", edition: Lite, os: "windows", cgo: "1", tags: "lite", others: true},
	{name: "lite, windows, no cgo", edition: Lite, os: "windows", cgo: "0", tags: "lite", others: true},
	{name: "lite, darwin", edition: Lite, os: "darwin", cgo: "1", tags: "lite", others: true},
	{name: "lite, darwin, no cgo", edition: Lite, os: "darwin", cgo: "0", tags: "lite", others: true},
}

// listed is the part of `go list -json` that is read here.
type listed struct {
	ImportPath, Dir, Name                        string
	Standard                                     bool
	Imports, TestImports, XTestImports           []string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
	ImportMap                                    map[string]string
	Error                                        *struct{ Err string }
}

// load asks the go command for the packages of one build.
func load(t *testing.T, b build) Graph {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps",
		"-json=ImportPath,Dir,Name,Standard,Imports,TestImports,XTestImports,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,ImportMap,Error",
		"-tags", b.tags, "./...")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS="+b.os, "GOARCH=amd64", "CGO_ENABLED="+b.cgo)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list for %s: %v\n%s", b.name, err, stderr.String())
	}
	g := Graph{}
	for dec := json.NewDecoder(&stdout); ; {
		var l listed
		err := dec.Decode(&l)
		if errors.Is(err, io.EOF) {
			return g
		}
		if err != nil {
			t.Fatalf("reading what go list said for %s: %v", b.name, err)
		}
		// A package that has no file for this system is nobody's fault.
		if l.Error != nil && !strings.Contains(l.Error.Err, "build constraints exclude all Go files") && (isOurs(l.ImportPath) || b.others) {
			t.Errorf("%s: go list cannot read %s: %s", b.name, l.ImportPath, l.Error.Err)
		}
		g[l.ImportPath] = l.pack(t)
	}
}

func (l listed) pack(t *testing.T) Package {
	t.Helper()
	p := Package{Path: l.ImportPath, TestImports: append(l.TestImports, l.XTestImports...)}
	for _, imp := range l.Imports {
		if real, ok := l.ImportMap[imp]; ok {
			imp = real
		}
		p.Imports = append(p.Imports, imp)
	}
	if !isOurs(l.ImportPath) {
		return p
	}
	p.Missing = l.Dir == "" || l.Name == ""
	files := slices.Concat(l.GoFiles, l.CgoFiles)
	if len(files) == 0 { // a package of tests only
		files = slices.Concat(l.TestGoFiles, l.XTestGoFiles)
	}
	for _, f := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(l.Dir, f), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("reading %s: %v", f, err)
		} else if tree.Doc != nil {
			p.Docs = append(p.Docs, tree.Doc.Text())
		}
	}
	return p
}

// root is the folder that holds go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the top of the module is not two folders up: %v", err)
	}
	return dir
}
