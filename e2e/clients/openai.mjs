// The npm package "openai".
import OpenAI from 'openai';
import { baseURL, enough, key, main, messages, model, piece } from './report.mjs';

const client = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: key, maxRetries: 0 });

await main({
  async list() {
    const models = [];
    for await (const m of client.models.list()) models.push(m.id);
    return { models };
  },
  async chat() {
    const end = {};
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    for await (const part of stream) {
      piece(part.choices[0]?.delta?.content);
      if (enough()) {
        stream.controller.abort();
        return { reason: 'left' };
      }
      end.reason = part.choices[0]?.finish_reason ?? end.reason;
      end.tokens = part.usage?.completion_tokens ?? end.tokens;
    }
    return end;
  },
  async embed() {
    const { data } = await client.embeddings.create({ model, input: 'hi' });
    return { dimensions: data[0].embedding.length };
  },
});
