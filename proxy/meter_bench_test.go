package proxy

import (
	"strings"
	"testing"

	"paddock/policy"
)

func BenchmarkMeter(b *testing.B) {
	use := policy.Endpoint{Class: policy.ClassUse}
	for _, c := range []struct{ name, kind, text string }{
		{"token", "application/x-ndjson", token},
		{"sse", "text/event-stream", "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"llama3\",\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"x\"},\"finish_reason\":null}]}\n\n"},
		{"embedding", "application/json", `{"embeddings":[[` + strings.Repeat("0.01234567,", 90_000) + `0]],"prompt_eval_count":3}`},
		{"text", "application/json", `{"response":"` + strings.Repeat("lorem ipsum ", 80_000) + `","eval_count":3}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			text := []byte(c.text)
			m := newMeter(c.kind, use)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				m.feed(text)
			}
		})
	}
}
