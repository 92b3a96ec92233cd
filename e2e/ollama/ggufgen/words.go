package ggufgen

import (
	"errors"
	"fmt"
	"strings"
)

const (
	turnStart = "<|im_start|>"
	turnEnd   = "<|im_end|>"
	space     = "▁" // how SentencePiece writes the space before a word
)

// corpus is the text as sentences of words.
type corpus struct {
	lines [][]string
	ends  bool
}

// newCorpus cuts the text. Punctuation stays with its word, so that a text in
// which no word stands twice is recited exactly.
func newCorpus(text string, ends bool) (corpus, error) {
	c := corpus{ends: ends}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		var words []string
		for w := range strings.FieldsSeq(line) {
			if seen[w] {
				return c, fmt.Errorf("%q stands twice in the corpus; the recital would branch there", w)
			}
			seen[w] = true
			words = append(words, space+w)
		}
		if len(words) > 0 {
			c.lines = append(c.lines, words)
		}
	}
	if len(c.lines) == 0 {
		return c, errors.New("the corpus is empty")
	}
	if ends {
		// This recital always opens an answer, so its first word has no space.
		c.lines[0][0] = strings.TrimPrefix(c.lines[0][0], space)
	}
	return c, nil
}

// links counts which token follows which.
func (c corpus) links(v *vocabulary) map[int]map[int]float64 {
	links := map[int]map[int]float64{}
	link := func(from, to int) {
		if links[from] == nil {
			links[from] = map[int]float64{}
		}
		links[from][to]++
	}
	first := func(line int) int { return v.id[c.lines[line][0]] }
	for n, line := range c.lines {
		for i := 1; i < len(line); i++ {
			link(v.id[line[i-1]], v.id[line[i]])
		}
		last := v.id[line[len(line)-1]]
		if c.ends && n == len(c.lines)-1 {
			link(last, v.id[turnEnd])
		} else {
			link(last, first((n+1)%len(c.lines)))
		}
	}
	// An answer comes after "<|im_start|>assistant\n", a raw prompt ends in
	// anything; each starts the recital.
	for _, from := range []string{"<0x0A>", space + "assistant", turnStart, "<s>"} {
		link(v.id[from], first(0))
	}
	return links
}

// The kinds of token in GGUF.
const (
	normalToken  int32 = 1
	unknownToken int32 = 2
	controlToken int32 = 3
	byteToken    int32 = 6
)

// vocabulary is the tokens in the order of their numbers.
type vocabulary struct {
	text  []string
	score []float32
	kind  []int32
	id    map[string]int
}

// newVocabulary holds all bytes, so that any prompt can be read, and every prefix
// of every word, so that the merges of SentencePiece reach the whole word; longer
// prefixes score higher.
func newVocabulary(c corpus) *vocabulary {
	v := &vocabulary{id: map[string]int{}}
	v.add("<unk>", 0, unknownToken)
	v.add("<s>", 0, controlToken)
	v.add("</s>", 0, controlToken)
	for b := range 256 {
		v.add(fmt.Sprintf("<0x%02X>", b), 0, byteToken)
	}
	v.add(turnStart, 0, controlToken)
	v.add(turnEnd, 0, controlToken)
	for _, line := range c.lines {
		for _, w := range line {
			v.addPrefixes(w)
		}
	}
	for _, role := range []string{"user", "assistant", "system"} {
		v.addPrefixes(space + role)
	}
	for r := '!'; r <= '~'; r++ {
		v.add(string(r), -2000, normalToken)
	}
	return v
}

func (v *vocabulary) addPrefixes(word string) {
	letters := []rune(word)
	for n := 1; n <= len(letters); n++ {
		v.add(string(letters[:n]), -1000+float32(n), normalToken)
	}
}

func (v *vocabulary) add(text string, score float32, kind int32) {
	if _, ok := v.id[text]; ok {
		return
	}
	v.id[text] = len(v.text)
	v.text = append(v.text, text)
	v.score = append(v.score, score)
	v.kind = append(v.kind, kind)
}
