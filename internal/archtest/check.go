package archtest

import (
	"fmt"
	"go/doc/comment"
	"regexp"
	"slices"
	"strings"
)

// Package is what the checks know about one package.
type Package struct {
	Path        string
	Imports     []string // of the program itself
	TestImports []string // of its test files, inside and outside of the package
	Docs        []string // the package comment of each file that has one
	Missing     bool     // somebody imports it, but it is not there
}

// Graph is all packages of one build, ours and others', by import path.
type Graph map[string]Package

// Check returns one sentence for each way in which the graph breaks the law.
func Check(law []Room, g Graph, edition Edition) []string {
	var found []string
	linked := g.linked(Module)
	for _, path := range sortedKeys(g) {
		if !isOurs(path) {
			continue
		}
		p, name := g[path], roomName(path)
		room, ok := find(law, name)
		if !ok {
			found = append(found, fmt.Sprintf("%s is in a room that the law does not know: give %q a row in internal/archtest/law.go, with what it may import, or move the package into a room", path, name))
			continue
		}
		found = append(found, checkUses(room, name, p)...)
		for _, ban := range room.Never {
			// The folder holds the windows in either edition; what counts is what
			// an edition makes of it.
			if ban.Edition != Both && (ban.Edition != edition || !linked[path]) {
				continue
			}
			if way := g.way(path, ban); way != nil {
				found = append(found, fmt.Sprintf("%s must never reach %s, because %s. It does: %s", path, ban.What, ban.Why, strings.Join(way, " → ")))
			}
		}
	}
	return found
}

// checkUses compares the rooms that a package imports with its row.
func checkUses(room Room, name string, p Package) []string {
	var found []string
	for _, imp := range p.Imports {
		if other := roomName(imp); isOurs(imp) && other != name && !room.mayUse(other) {
			found = append(found, fmt.Sprintf("%s imports %s, but %s may import %s of ours: declare the two or three methods that it needs as an interface beside their use, and let main hand the part in", p.Path, imp, name, words(room.Uses)))
		}
	}
	// Tests may use all of the plumbing: the stand-in for Ollama is made for them.
	for _, imp := range p.TestImports {
		if other := roomName(imp); isOurs(imp) && other != name && !room.mayUse(other) && !strings.HasPrefix(other, "internal/") {
			found = append(found, fmt.Sprintf("a test of %s imports %s, but tests of %s may import %s of ours and internal/*: what needs more than that is a test of a room further up", p.Path, imp, name, words(room.Uses)))
		}
	}
	return found
}

// linked returns all packages that end up in the program at from.
func (g Graph) linked(from string) map[string]bool {
	seen := map[string]bool{from: true}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range g[queue[0]].Imports {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return seen
}

// way returns the shortest chain of imports from a package to what is banned,
// or nil.
func (g Graph) way(from string, ban Ban) []string {
	before := map[string]string{}
	queue := []string{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g[at].Imports {
			if _, seen := before[next]; seen || next == from {
				continue
			}
			before[next] = at
			if ban.Hits(next) {
				way := []string{next}
				for p := next; p != from; {
					p = before[p]
					way = append([]string{p}, way...)
				}
				return way
			}
			if !ban.Direct {
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// CheckDocs returns one sentence for each package of ours whose comment does
// not begin with one sentence about the package.
func CheckDocs(g Graph) []string {
	var found []string
	for _, path := range sortedKeys(g) {
		p := g[path]
		if !isOurs(path) || p.Missing {
			continue
		}
		switch {
		case len(p.Docs) == 0:
			found = append(found, path+" has no package comment: say in one sentence what it gives")
		case len(p.Docs) > 1:
			found = append(found, path+" has a package comment in more than one file: readers see them run together, keep one")
		default:
			if why := notOneSentence(p.Docs[0]); why != "" {
				found = append(found, fmt.Sprintf("the package comment of %s %s: its first paragraph is one sentence that says what the package gives, reasons go below it", path, why))
			}
		}
	}
	return found
}

// sentenceEnd finds the end of a sentence that another one follows.
var sentenceEnd = regexp.MustCompile(`[.!?]["')]*\s+["'(]*\p{Lu}`)

// notOneSentence says what is wrong with the first paragraph, or nothing.
func notOneSentence(doc string) string {
	first := firstParagraph(doc)
	switch {
	case first == "":
		return "is empty"
	case !strings.HasPrefix(first, "Package ") && !strings.HasPrefix(first, "Command "):
		return `begins with neither "Package" nor "Command"`
	case !strings.HasSuffix(first, "."):
		return "does not end its first paragraph with a full stop"
	case sentenceEnd.MatchString(first):
		return "begins with more than one sentence"
	}
	return ""
}

func firstParagraph(doc string) string {
	var parser comment.Parser
	blocks := parser.Parse(doc).Content
	if len(blocks) == 0 {
		return ""
	}
	if _, ok := blocks[0].(*comment.Paragraph); !ok {
		return ""
	}
	text := (&comment.Printer{}).Text(&comment.Doc{Content: blocks[:1]})
	return strings.Join(strings.Fields(string(text)), " ")
}

// words lists rooms as a sentence does.
func words(rooms []string) string {
	switch len(rooms) {
	case 0:
		return "nothing"
	case 1:
		if rooms[0] == "*" {
			return "everything"
		}
		return rooms[0]
	}
	return strings.Join(rooms[:len(rooms)-1], ", ") + " and " + rooms[len(rooms)-1]
}

func sortedKeys(g Graph) []string {
	keys := make([]string, 0, len(g))
	for k := range g {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
