// Package ollama runs a real Ollama for the tests: built from source, on a
// loopback port of its own, with a store of its own and models so small that
// they answer at once.
package ollama
