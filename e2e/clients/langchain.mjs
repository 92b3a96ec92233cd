// The npm package "@langchain/ollama", which sends a dozen options with each
// request. It has no list of models.
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama';
import { baseURL, enough, key, main, messages, model, piece } from './report.mjs';

const server = { baseUrl: baseURL, model, headers: { Authorization: `Bearer ${key}` }, maxRetries: 0 };

await main({
  async chat() {
    const end = {};
    const leave = new AbortController();
    const stream = await new ChatOllama(server).stream(messages, { signal: leave.signal });
    for await (const part of stream) {
      piece(part.content);
      if (enough()) {
        leave.abort();
        return { reason: 'left' };
      }
      end.reason = part.response_metadata?.done_reason ?? end.reason;
      end.tokens = part.usage_metadata?.output_tokens || end.tokens;
    }
    return end;
  },
  async embed() {
    const vector = await new OllamaEmbeddings(server).embedQuery('hi');
    return { dimensions: vector.length };
  },
});
