// What the page carries: gzipped JSON in base 64, unpacked when it is asked for.

async function unpack(name) {
  const element = document.getElementById(name);
  if (!element) throw new Error(`the page lacks its part ${name}`);
  const packed = atob(element.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at++) bytes[at] = packed.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const unpacked = new Map();

// Unpacked once, whoever asks.
function part(name) {
  if (!unpacked.has(name)) unpacked.set(name, unpack(name));
  return unpacked.get(name);
}
