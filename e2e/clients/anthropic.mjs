// The npm package "@anthropic-ai/sdk".
import Anthropic from '@anthropic-ai/sdk';
import { baseURL, enough, key, main, messages, model, piece } from './report.mjs';

const client = new Anthropic({ baseURL, apiKey: key, maxRetries: 0 });

await main({
  async list() {
    const { data } = await client.models.list();
    return { models: data.map((m) => m.id) };
  },
  async chat() {
    const end = {};
    const stream = await client.messages.create({ model, messages, max_tokens: 1000, stream: true });
    for await (const event of stream) {
      if (event.type === 'content_block_delta') piece(event.delta.text);
      if (enough()) {
        stream.controller.abort();
        return { reason: 'left' };
      }
      if (event.type === 'message_delta') {
        end.reason = event.delta.stop_reason;
        end.tokens = event.usage.output_tokens;
      }
    }
    return end;
  },
});
