// What wasm would need many crossings for, and JavaScript one: each crossing with a text costs more than what is done there.
// Nothing is decided here.

/** A response of `text`: names and values of headers by turns, a line each, up to `border`, and the body from there. */
export function respond(status, text, border, bare) {
  return made(status, text.slice(0, border), bare ? null : text.slice(border));
}

/** The same with a body that is no text. */
export function respondBytes(status, head, body) {
  return made(status, head, body ?? null);
}

function made(status, head, body) {
  const lines = head.split("\n");
  // An object, since the runtime takes a list of pairs far more slowly.
  const headers = {};
  let repeated;
  for (let n = 0; n + 1 < lines.length; n += 2) {
    if (lines[n] in headers) (repeated ??= []).push(n);
    else headers[lines[n]] = lines[n + 1];
  }
  const response = new Response(body, { status, headers });
  if (repeated !== undefined) for (const n of repeated) response.headers.append(lines[n], lines[n + 1]);
  return response;
}

/** Status and headers of a response: a line each, names and values by turns. */
export function headOf(response) {
  let text = String(response.status);
  for (const [name, value] of response.headers) text += "\n" + name + "\n" + value;
  return text;
}

/** The whole body, or `null` at the first byte over `most`: a content-length may lie. */
export async function collect(body, most) {
  if (body === null || body === undefined) return new Uint8Array();
  const reader = body.getReader();
  const chunks = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      // Whoever sends the rest is told to stop; whether it listens is nothing to us.
      reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Sends a request, and gives status and body, or of a redirect its target. In place of them the word for what became of it:
 * one signal bounds the whole exchange, since its answerer may also hang half way through the body.
 */
export async function exchange(url, init, body, timeout, most) {
  const signal = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, { ...JSON.parse(init), body, signal });
    const { status, headers } = response;
    if (status >= 300 && status < 400) return [status, new TextEncoder().encode(headers.get("location") ?? "")];
    const whole = isSurelySmall(headers, most)
      ? new Uint8Array(await response.arrayBuffer())
      : await collect(response.body, most);
    return whole === null ? "too large" : [status, whole];
  } catch {
    return signal.aborted ? "timeout" : "unreachable";
  }
}

// Then it is read in one piece, and not as a stream, which costs two more turns. HTTP itself ends a message at its
// content-length, but one that is compressed says how long it is before it is unpacked, and one that comes in chunks may say
// whatever it likes.
function isSurelySmall(headers, most) {
  if (headers.has("content-encoding") || headers.has("transfer-encoding")) return false;
  const length = headers.get("content-length");
  return length !== null && /^\d+$/.test(length) && Number(length) <= most;
}

/** Asks a Durable Object of ours, by the name of its class's binding and its own. */
export function ask(env, binding, name, frame) {
  // A copy: what is asked leaves later than this call, and wasm's memory moves.
  return env[binding].getByName(name).ask(frame.slice());
}

/**
 * Runs a tenant's Worker on the request, with another URL, without the headers in `dropped` and with those in `set`. The body
 * stays the caller's stream. `ofContent` comes with a method that has no content: the runtime makes no such request with
 * some, although a caller can send it, so content is left out then with the headers that describe it. Gives `undefined` where
 * there is no namespace.
 */
export function dispatch(env, script, options, request, url, dropped, ofContent, set) {
  const namespace = env.DISPATCHER;
  if (namespace === undefined) return undefined;
  const unwanted = ofContent !== undefined && request.body !== null;
  const { method, headers, redirect, signal, cf } = unwanted ? request : {};
  const copy = new Request(url, unwanted ? { method, headers, redirect, signal, cf } : request);
  for (const name of dropped.split("\n")) if (name !== "") copy.headers.delete(name);
  if (unwanted) for (const name of ofContent.split("\n")) if (name !== "") copy.headers.delete(name);
  const lines = set.split("\n");
  for (let n = 0; n + 1 < lines.length; n += 2) copy.headers.set(lines[n], lines[n + 1]);
  return namespace.get(script, {}, JSON.parse(options)).fetch(copy);
}

/** The first column of a statement's first row, or `undefined` without one. */
export function first(sql, statement, key) {
  return sql.exec(statement, key).raw().next().value?.[0];
}
