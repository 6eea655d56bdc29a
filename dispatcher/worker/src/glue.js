// What wasm would need many crossings for, and JavaScript one: each crossing with a text costs more than what is done there.
// Nothing is decided here.
//
// What takes its time is begun with a ticket. `settled` is called once with that, a word (negative: it failed), and a value.

const promised = new Map();

/** A promise for a task of wasm's, which `settle` settles. */
export function promise(task) {
  return new Promise((fulfil, reject) => promised.set(task, { fulfil, reject }));
}

export function settle(task, isDone, value) {
  const { fulfil, reject } = promised.get(task);
  promised.delete(task);
  if (isDone) fulfil(value);
  else reject(value);
}

/** Has a request, or an object, stay until the task is done. */
export function keep(ctx, task) {
  ctx.waitUntil(promise(task));
}

export function wait(promise, ticket, settled) {
  promise.then((value) => settled(ticket, 0, value), (error) => settled(ticket, -1, error));
}

export function wakeAfter(millis, ticket, settled) {
  return setTimeout(settled, millis, ticket, 0, undefined);
}

export function neverMind(timer) {
  clearTimeout(timer);
}

export function soon(goOn) {
  queueMicrotask(goOn);
}

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
export function collect(body, most, ticket, settled) {
  wait(whole(body, most), ticket, settled);
}

async function whole(body, most) {
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
 * Sends a request. The word is the status, and the value the body, or of a redirect its target. In place of them -1 and what became
 * of it: one signal bounds the whole exchange, since its answerer may also hang half way through the body.
 */
export function exchange(url, init, body, timeout, most, ticket, settled) {
  const signal = AbortSignal.timeout(timeout);
  const failed = () => settled(ticket, -1, signal.aborted ? "timeout" : "unreachable");
  let sent;
  try {
    sent = fetch(url, { ...JSON.parse(init), body, signal });
  } catch {
    // Never from within the call that began it.
    queueMicrotask(failed);
    return;
  }
  sent.then((response) => {
    const { status, headers } = response;
    if (status >= 300 && status < 400) {
      settled(ticket, status, new TextEncoder().encode(headers.get("location") ?? ""));
    } else if (isSurelySmall(headers, most)) {
      response.arrayBuffer().then((bytes) => settled(ticket, status, new Uint8Array(bytes)), failed);
    } else {
      whole(response.body, most).then((bytes) => settled(ticket, bytes === null ? -1 : status, bytes ?? "too large"), failed);
    }
  }, failed);
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
export function ask(env, binding, name, frame, ticket, settled) {
  // A copy: what is asked leaves later than this call, and wasm's memory moves.
  wait(env[binding].getByName(name).ask(frame.slice()), ticket, settled);
}

/**
 * Runs a tenant's Worker on the request, with another URL, without the headers in `dropped` and with those in `set`. The body
 * stays the caller's stream. `ofContent` comes with a method that has no content: the runtime makes no such request with
 * some, although a caller can send it, so content is left out then with the headers that describe it. Gives `false` where
 * there is no namespace.
 */
export function dispatch(env, script, options, request, url, dropped, ofContent, set, ticket, settled) {
  const namespace = env.DISPATCHER;
  if (namespace === undefined) return false;
  const unwanted = ofContent !== undefined && request.body !== null;
  const { method, headers, redirect, signal, cf } = unwanted ? request : {};
  const copy = new Request(url, unwanted ? { method, headers, redirect, signal, cf } : request);
  for (const name of dropped.split("\n")) if (name !== "") copy.headers.delete(name);
  if (unwanted) for (const name of ofContent.split("\n")) if (name !== "") copy.headers.delete(name);
  const lines = set.split("\n");
  for (let n = 0; n + 1 < lines.length; n += 2) copy.headers.set(lines[n], lines[n + 1]);
  wait(namespace.get(script, {}, JSON.parse(options)).fetch(copy), ticket, settled);
  return true;
}

/** The record of a payment in a shard's tables, or `undefined` without one. */
export function load(sql, payment) {
  return sql.exec("SELECT record FROM payment WHERE key = ?", payment).raw().next().value?.[0];
}

/**
 * Stores a payment's record in a shard's tables, and its response's body, if one comes along. Without `due` it is due when it was.
 * Nothing is awaited in between, so that both are stored together or not at all.
 */
export function save(sql, payment, record, due, openSince, settledAt, body) {
  // The body goes first: without its record it is nothing, and a record without its body is a charge that cannot be collected.
  if (body !== undefined) sql.exec(SAVE_BODY, payment, body.slice());
  sql.exec(SAVE, payment, record, due ?? null, openSince ?? null, settledAt ?? null);
}

const SAVE_BODY = "INSERT OR REPLACE INTO response (key, body) VALUES (?, ?)";
const SAVE =
  "INSERT INTO payment (key, record, due, open_since, settled_at) VALUES (?1, ?2, ?3, ?4, ?5) " +
  "ON CONFLICT (key) DO UPDATE SET record = ?2, due = coalesce(?3, due), open_since = ?4, settled_at = ?5";
