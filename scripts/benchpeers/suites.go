//go:build linux

package main

import "context"

// suite is one thing that is measured of each target in each round.
type suite struct {
	name   string // for -only
	title  string
	direct bool // makes sense without a proxy, too
	run    func(l *lab, ctx context.Context, t *target) error
}

func suites() []suite {
	return []suite{
		{"requests", "small requests", true, (*lab).requests},
		{"questions", "short questions", true, (*lab).questions},
		{"tls", "small requests over TLS", false, (*lab).overTLS},
		{"handshakes", "handshakes with one request each", false, (*lab).handshakes},
		{"streams", "64 streams of 50 tokens a second", true, (*lab).streams},
		{"streams-tls", "64 streams of 50 tokens a second over TLS", false, (*lab).streamsOverTLS},
		{"answers", "answers of 1 MiB", true, (*lab).answers},
		{"uploads", "uploads of 100 MiB", true, (*lab).uploads},
		{"flood", "a flood of wrong keys", false, (*lab).flood},
		{"cancel", "callers that leave", true, (*lab).cancel},
		{"restart", "restarts of Ollama", false, (*lab).restarts},
		{"memory", "memory", false, (*lab).memory},
		{"memory-tls", "memory with encrypted connections", false, (*lab).memoryTLS},
	}
}

func suiteNames() []string {
	var names []string
	for _, s := range suites() {
		names = append(names, s.name)
	}
	return names
}

// metric is one row of the table.
type metric struct {
	id, title string
	unit      string
}

// metrics are the rows, in their order.
var metrics = []metric{
	{"get-1-p50", "GET, 1 connection, p50", "µs"},
	{"get-1-p99", "GET, 1 connection, p99", "µs"},
	{"get-1-rps", "GET, 1 connection", "requests/s"},
	{"get-1-cpu", "GET, 1 connection, processor time of the proxy", "µs/request"},
	{"get-32-rps", "GET, 32 connections", "requests/s"},
	{"get-32-p50", "GET, 32 connections, p50", "µs"},
	{"get-32-p99", "GET, 32 connections, p99", "µs"},
	{"get-32-cpu", "GET, 32 connections, processor time of the proxy", "µs/request"},
	{"get-256-rps", "GET, 256 connections", "requests/s"},
	{"get-256-p50", "GET, 256 connections, p50", "µs"},
	{"get-256-p99", "GET, 256 connections, p99", "µs"},
	{"chat-1-p50", "POST /api/chat, 1 connection, p50", "µs"},
	{"chat-1-p99", "POST /api/chat, 1 connection, p99", "µs"},
	{"chat-32-rps", "POST /api/chat, 32 connections", "requests/s"},
	{"chat-32-cpu", "POST /api/chat, 32 connections, processor time", "µs/request"},
	{"tls-1-p50", "GET over TLS, 1 connection, p50", "µs"},
	{"tls-1-p99", "GET over TLS, 1 connection, p99", "µs"},
	{"tls-1-cpu", "GET over TLS, 1 connection, processor time of the proxy", "µs/request"},
	{"tls-32-rps", "GET over TLS, 32 connections", "requests/s"},
	{"tls-32-p50", "GET over TLS, 32 connections, p50", "µs"},
	{"tls-32-p99", "GET over TLS, 32 connections, p99", "µs"},
	{"tls-32-cpu", "GET over TLS, 32 connections, processor time of the proxy", "µs/request"},
	{"full-rps", "full handshakes with one request each", "connections/s"},
	{"full-cpu", "full handshake and request, processor time of the proxy", "µs"},
	{"resumed-rps", "resumed handshakes with one request each", "connections/s"},
	{"resumed-cpu", "resumed handshake and request, processor time of the proxy", "µs"},
	{"first-p50", "64 streams: first token, p50", "µs"},
	{"first-p99", "64 streams: first token, p99", "µs"},
	{"transit-p50", "64 streams: token under way, p50", "µs"},
	{"transit-p99", "64 streams: token under way, p99", "µs"},
	{"jitter-p50", "64 streams: gap off 20 ms by, p50", "µs"},
	{"jitter-p99", "64 streams: gap off 20 ms by, p99", "µs"},
	{"merged", "64 streams: tokens that came together with the next", "‰"},
	{"token-cpu", "64 streams: processor time of the proxy", "µs/token"},
	{"tls-first-p50", "64 streams over TLS: first token, p50", "µs"},
	{"tls-first-p99", "64 streams over TLS: first token, p99", "µs"},
	{"tls-transit-p50", "64 streams over TLS: token under way, p50", "µs"},
	{"tls-transit-p99", "64 streams over TLS: token under way, p99", "µs"},
	{"tls-merged", "64 streams over TLS: tokens that came together with the next", "‰"},
	{"tls-token-cpu", "64 streams over TLS: processor time of the proxy", "µs/token"},
	{"answer-mib", "1 MiB answers with a length, 4 connections", "MiB/s"},
	{"answer-chunked-mib", "1 MiB answers in chunks, 4 connections", "MiB/s"},
	{"upload-mib", "100 MiB uploads with a length", "MiB/s"},
	{"upload-chunked-mib", "100 MiB uploads in chunks", "MiB/s"},
	{"flood-rps", "flood: wrong keys answered", "requests/s"},
	{"flood-valid-rps", "flood: valid caller", "requests/s"},
	{"flood-valid-p50", "flood: valid caller, p50", "ms"},
	{"flood-valid-p99", "flood: valid caller, p99", "ms"},
	{"cancel-stream-p50", "caller leaves a stream, Ollama knows after, p50", "ms"},
	{"cancel-stream-p99", "caller leaves a stream, p99", "ms"},
	{"cancel-silent-p50", "caller leaves before the first byte, p50", "ms"},
	{"cancel-silent-p99", "caller leaves before the first byte, p99", "ms"},
	{"cancel-missed", "left callers that Ollama heard nothing of", "in all"},
	{"restart-lost", "questions lost right after a restart of Ollama", "in all"},
	{"memory-idle", "memory, idle", "MiB"},
	{"memory-load", "memory, most at 256 connections", "MiB"},
	{"memory-5000", "memory with 5,000 idle connections", "MiB"},
	{"memory-5000-tls", "memory with 5,000 idle connections over TLS", "MiB"},
}
