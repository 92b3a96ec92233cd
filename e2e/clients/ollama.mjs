// The npm package "ollama".
import { Ollama } from 'ollama';
import { baseURL, enough, key, main, messages, model, piece } from './report.mjs';

const client = new Ollama({ host: baseURL, headers: { Authorization: `Bearer ${key}` } });

await main({
  async list() {
    const { models } = await client.list();
    return { models: models.map((m) => m.name) };
  },
  async chat() {
    const end = {};
    for await (const part of await client.chat({ model, messages, stream: true })) {
      piece(part.message.content);
      if (enough()) {
        client.abort();
        return { reason: 'left' };
      }
      if (part.done) {
        end.reason = part.done_reason;
        end.tokens = part.eval_count;
      }
    }
    return end;
  },
  async embed() {
    const { embeddings } = await client.embed({ model, input: 'hi' });
    return { dimensions: embeddings[0].length };
  },
});
