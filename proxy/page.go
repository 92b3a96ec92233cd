package proxy

// welcome is what a person sees who opens the gate's address in a browser. It
// tells nothing about keys, models or people.
var welcome = []byte(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Paddock</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.5rem;color:#1a211a;background:#f5f7f3}code{background:#fff;border:1px solid #dce2d8;border-radius:6px;padding:.1em .4em}
@media(prefers-color-scheme:dark){body{color:#e7ece5;background:#131713}code{background:#1b201b;border-color:#2e352d}}</style>
<h1>This is a Paddock gate</h1>
<p>Somebody shares their Ollama here, with a key for each teammate. If you have a key, point your program at this
address and send the key as <code>Authorization: Bearer KEY</code>. It speaks Ollama's own API and, under
<code>/v1</code>, the OpenAI and Anthropic ones.</p>
<p>No key? Ask the person who gave you this address.</p>
</html>
`)
