// The npm package "ai" with the provider "ollama-ai-provider-v2". It has no list
// of models.
import { embed, streamText } from 'ai';
import { createOllama } from 'ollama-ai-provider-v2';
import { baseURL, enough, key, main, messages, model, piece } from './report.mjs';

const ollama = createOllama({ baseURL: `${baseURL}/api`, headers: { Authorization: `Bearer ${key}` } });

await main({
  async chat() {
    const end = {};
    const leave = new AbortController();
    const { fullStream } = streamText({
      model: ollama(model), messages, maxRetries: 0, abortSignal: leave.signal,
      onError() {}, // it is part of the stream, too
    });
    for await (const part of fullStream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') piece(part.text);
      if (enough()) {
        leave.abort();
        return { reason: 'left' };
      }
      if (part.type === 'finish') {
        // "other" is what it makes of an answer that broke off.
        if (part.finishReason !== 'other') end.reason = part.finishReason;
        end.tokens = part.totalUsage.outputTokens;
      }
    }
    return end;
  },
  async embed() {
    const { embedding } = await embed({ model: ollama.embedding(model), value: 'hi', maxRetries: 0 });
    return { dimensions: embedding.length };
  },
});
