// What the client scripts share: what they are told and how they report.
//
// A script is started as "node CLIENT.mjs ACTION MODEL" with BASE_URL and KEY in
// the environment. It prints one line of JSON for each piece of a streamed
// answer, as it arrives, and at last one line with the result. An error of the
// client is part of the result: the script itself fails only if it is broken.

export const baseURL = process.env.BASE_URL;
export const key = process.env.KEY;
export const model = process.argv[3];
export const messages = [{ role: 'user', content: 'hi' }];

const began = performance.now();
const result = { text: '' };
let pieces = 0;

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

// piece reports a piece of an answer and when it arrived, in milliseconds.
export function piece(text) {
  if (!text) return;
  pieces++;
  result.text += text;
  print({ piece: { text, at: performance.now() - began } });
}

// enough says whether STOP_AFTER pieces have arrived and the client is to leave.
export function enough() {
  return pieces >= Number(process.env.STOP_AFTER || Infinity);
}

// main runs the action named on the command line and reports how it ended.
export async function main(actions) {
  try {
    Object.assign(result, await actions[process.argv[2]]());
  } catch (e) {
    result.error = {
      name: e.constructor.name,
      // ollama calls it status_code, ai statusCode, the others status.
      status: e.status ?? e.status_code ?? e.statusCode ?? 0,
      message: String(e.message),
      cause: e.cause ? String(e.cause) : '',
      body: e.error ?? e.data ?? e.responseBody ?? null,
    };
  }
  print({ result });
}
