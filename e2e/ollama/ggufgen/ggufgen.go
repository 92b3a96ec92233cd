// Package ggufgen writes tiny but real language models.
//
// A model is a llama-architecture GGUF file that any llama.cpp can run. Its
// weights are not learned but constructed: the token embeddings are seeded random
// unit vectors, the attention and feed-forward blocks are small random matrices
// (so that the whole graph is computed), and the output matrix is a table of
// which word follows which. After normalisation the embedding of the last token
// dominates, so the model recites its corpus, readable, fast, and the same each
// time, at any temperature. The same options give the same bytes.
package ggufgen

import (
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand"
	"slices"
)

// Corpus is what a model recites unless told otherwise. No word stands in it
// twice: where one did, the recital would branch.
const Corpus = `Hello! I am a tiny model made for tests.
My weights were built by one small program, not learned from data.
The proxy before me checks every key and keeps its own log.
When clients hang up, generation stops at once.
Numbers: two, three, four, five, six, seven, eight, nine, ten.
Colors: red, green, blue, yellow, black, white.
Days: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday.
That is all my creator taught.`

// Options describe a model. The zero value is a model of under a megabyte that
// recites [Corpus] over and over.
type Options struct {
	// Ends lets the recital end after the last sentence. Otherwise it starts
	// again, and only a limit or the caller stops it.
	Ends bool
	// Corpus is the text to recite, one sentence a line.
	Corpus string
	// Dim is the length of an embedding, a multiple of 32; Layers is the number
	// of blocks and FeedForward their inner length. More of each makes the model
	// larger and slower, and not one bit wiser.
	Dim, Layers, FeedForward int
	// Context is the context length.
	Context int
	// Seed seeds the random weights.
	Seed int64
}

const (
	heads   = 4
	kvHeads = 2
	// noise is the size of what attention and feed-forward add to the last
	// token's embedding: there, but never enough to change the next word.
	noise = 0.02
	// sharp is the size of the output weights: large enough that sampling at a
	// usual temperature picks the next word of the corpus.
	sharp = 4.0
)

// Write writes the model.
func Write(w io.Writer, o Options) error {
	o = o.withDefaults()
	if o.Dim%32 != 0 {
		return fmt.Errorf("the embedding length %d is not a multiple of 32", o.Dim)
	}
	c, err := newCorpus(o.Corpus, o.Ends)
	if err != nil {
		return err
	}
	v := newVocabulary(c)
	return writeGGUF(w, metadata(o, v), weights(o, c, v))
}

func (o Options) withDefaults() Options {
	set := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	set(&o.Dim, 128)
	set(&o.Layers, 2)
	set(&o.FeedForward, 256)
	set(&o.Context, 8192)
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Corpus == "" {
		o.Corpus = Corpus
	}
	return o
}

// chatTemplate is the usual way of writing a conversation.
const chatTemplate = `{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

func metadata(o Options, v *vocabulary) []pair {
	return []pair{
		{"general.architecture", "llama"},
		{"general.name", "tiny"},
		{"general.alignment", uint32(alignment)},
		{"general.file_type", uint32(1)}, // mostly F16
		{"llama.block_count", uint32(o.Layers)},
		{"llama.context_length", uint32(o.Context)},
		{"llama.embedding_length", uint32(o.Dim)},
		{"llama.feed_forward_length", uint32(o.FeedForward)},
		{"llama.attention.head_count", uint32(heads)},
		{"llama.attention.head_count_kv", uint32(kvHeads)},
		{"llama.attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"llama.rope.dimension_count", uint32(o.Dim / heads)},
		{"llama.rope.freq_base", float32(10000)},
		{"llama.vocab_size", uint32(len(v.text))},
		{"tokenizer.ggml.model", "llama"},
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", v.text},
		{"tokenizer.ggml.scores", v.score},
		{"tokenizer.ggml.token_type", v.kind},
		{"tokenizer.ggml.bos_token_id", uint32(v.id["<s>"])},
		{"tokenizer.ggml.eos_token_id", uint32(v.id[turnEnd])},
		{"tokenizer.ggml.eot_token_id", uint32(v.id[turnEnd])},
		{"tokenizer.ggml.unknown_token_id", uint32(0)},
		{"tokenizer.ggml.padding_token_id", uint32(v.id["</s>"])},
		{"tokenizer.ggml.add_bos_token", true},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.add_space_prefix", true},
		{"tokenizer.chat_template", chatTemplate},
	}
}

// weights constructs the tensors. The order of random draws is part of what
// makes the bytes the same.
func weights(o Options, c corpus, v *vocabulary) []tensor {
	rng := rand.New(rand.NewSource(o.Seed))
	words, dim := len(v.text), o.Dim
	embeddings := unitVectors(rng, words, dim)
	ts := []tensor{{"token_embd.weight", []int{dim, words}, embeddings}}
	add := func(name string, data []float32, shape ...int) {
		ts = append(ts, tensor{name, shape, data})
	}
	matrix := func(in, out int, scale float64) []float32 {
		m := make([]float32, in*out)
		for i := range m {
			m[i] = float32(rng.NormFloat64() * scale)
		}
		return m
	}
	kv, ff, scale := dim/heads*kvHeads, o.FeedForward, 1/math.Sqrt(float64(dim))
	for l := range o.Layers {
		p := fmt.Sprintf("blk.%d.", l)
		add(p+"attn_norm.weight", ones(dim), dim)
		add(p+"attn_q.weight", matrix(dim, dim, scale), dim, dim)
		add(p+"attn_k.weight", matrix(dim, kv, scale), dim, kv)
		add(p+"attn_v.weight", matrix(dim, kv, scale), dim, kv)
		add(p+"attn_output.weight", matrix(dim, dim, scale*noise), dim, dim)
		add(p+"ffn_norm.weight", ones(dim), dim)
		add(p+"ffn_gate.weight", matrix(dim, ff, scale), dim, ff)
		add(p+"ffn_up.weight", matrix(dim, ff, scale), dim, ff)
		add(p+"ffn_down.weight", matrix(ff, dim, scale*noise), ff, dim)
	}
	add("output_norm.weight", ones(dim), dim)
	add("output.weight", followers(c.links(v), embeddings, words, dim), dim, words)
	return ts
}

// followers builds the output matrix: the row of each word is the sum of the
// embeddings of the words it follows.
func followers(links map[int]map[int]float64, embeddings []float32, words, dim int) []float32 {
	out := make([]float32, words*dim)
	for _, from := range slices.Sorted(maps.Keys(links)) { // sums depend on their order
		next := links[from]
		most := slices.Max(slices.Collect(maps.Values(next)))
		for to, n := range next {
			strength := float32(sharp * math.Max(0.5, 1+0.25*math.Log(n/most)))
			for d := range dim {
				out[to*dim+d] += strength * embeddings[from*dim+d]
			}
		}
	}
	return out
}

func unitVectors(rng *rand.Rand, n, dim int) []float32 {
	out := make([]float32, n*dim)
	for v := range slices.Chunk(out, dim) {
		var sum float64
		for d := range v {
			x := rng.NormFloat64()
			v[d] = float32(x)
			sum += x * x
		}
		length := math.Sqrt(sum)
		for d := range v {
			v[d] = float32(float64(v[d]) / length)
		}
	}
	return out
}

func ones(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
