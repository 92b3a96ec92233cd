// Web pages in a real browser: Chromium, driven by the npm package
// "puppeteer-core".
//
// The script is started with the path of the browser in CHROMIUM. It prints
// {"ready":true} when the browser is there, then takes one request a line on the
// standard input, lets a page of its own make it, and prints one line with what
// that page saw. It ends, and the browser with it, when the input does.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  userDataDir: `${process.env.HOME}/profile`,
  pipe: true, // the browser ends with this script, however that ends
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});

// ask runs in the page.
async function ask({ url, init, leaveAfter }) {
  const seen = { threw: '', status: 0, headers: {}, text: '', pieces: 0 };
  const leave = new AbortController();
  try {
    const response = await fetch(url, { ...init, signal: leave.signal });
    seen.status = response.status;
    seen.headers = Object.fromEntries(response.headers);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      seen.pieces++;
      seen.text += decoder.decode(part.value, { stream: true });
      if (seen.pieces === leaveAfter) {
        leave.abort();
        break;
      }
    }
  } catch (e) {
    seen.threw = `${e.name}: ${e.message}`;
  }
  return seen;
}

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

print({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { page: address, framed, ...request } = JSON.parse(line);
  const page = await browser.newPage();
  await page.goto(address);
  const frame = framed ? page.mainFrame().childFrames()[0] : page.mainFrame();
  print({ seen: await frame.evaluate(ask, request) });
  await page.close();
}
await browser.close();
