// Tenant double: a seller's Worker that says who it is (its canary, which nobody else knows, in body, headers and exceptions)
// and what reached it, whatever its method, OPTIONS included; and that misbehaves on request by its path. What it sent it says in `x-said`, so that a judge can
// tell what was changed.
// Surprising constraint: it is a double of any seller's code, so it must not use anything but the public Workers API.

// What has failed once, and will not again.
const failed = new Set();

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, fault, argument] = url.pathname.split("/");
    switch (fault) {
      case "status":
        return seen(request, url, env, Number(argument));
      case "fails-first":
        return seen(request, url, env, failed.has(argument) ? 200 : (failed.add(argument), 500));
      case "throw":
        throw new Error(`tenant double ${env.SCRIPT} throws ${env.CANARY}`);
      case "slow":
        await new Promise((resolve) => setTimeout(resolve, Number(argument)));
        return seen(request, url, env, 200);
      case "burn":
        burn(Number(argument));
        return seen(request, url, env, 200);
      case "compute":
        compute(Number(argument));
        return seen(request, url, env, 200);
      case "subrequests":
        await ask(Number(argument), (nth) => `/${nth}`);
        return seen(request, url, env, 200);
      case "redirects":
        await ask(Number(argument), () => `/redirect/${HOPS}`);
        return seen(request, url, env, 200);
      case "caught":
        // What is refused is caught, and the answer says nothing of it.
        await ask(Number(argument), (nth) => `/${nth}`).catch(() => {});
        return seen(request, url, env, 200);
      case "fetch": {
        const asked = OUTSIDE[argument];
        const answer = await fetch(asked, { headers: { "x-asker": env.SCRIPT } });
        await answer.arrayBuffer();
        return seen(request, url, env, 200, {}, { url: asked, status: answer.status });
      }
      case "big":
        return stream(bytes(Number(argument), env), env, Number(argument));
      case "endless":
        return stream(bytes(Infinity, env), env);
      case "trickle":
        return stream(trickle(Number(argument)), env);
      case "hoard":
        return stream(inOnePiece(Number(argument)), env, Number(argument));
      case "cut":
        return stream(cutOff(Number(argument), env), env);
      case "echo":
        return stream(request.body, env);
      case "page":
        return page(seen(request, url, env, 200));
      case "own-words":
        return seen(request, url, env, 200, OWN_WORDS);
      case "html":
        return html(decodeURIComponent(argument), env);
      case "forge":
        return seen(request, url, env, Number(argument ?? 200), FORGED);
      default:
        return seen(request, url, env, 200);
    }
  },
};

// The clock goes on while a tenant computes, here but not on the platform.
function burn(ms) {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

// The same work each time, half a millisecond a round once it is warm: who has less of a CPU takes longer.
const STEPS = 400_000;

function compute(rounds) {
  let mixed = 1;
  for (let step = 0; step < rounds * STEPS; step += 1) mixed = (Math.imul(mixed, 1664525) + 1013904223) | 0;
  return mixed;
}

// So many hops has each chain of redirects; a fetch of the platform follows up to twenty.
const HOPS = 10;

async function ask(count, path) {
  for (let sent = 0; sent < count; sent += 1) {
    const answer = await fetch(`https://origin.example${path(sent)}`);
    await answer.arrayBuffer();
  }
}

// What `/fetch/<name>` asks of the outside.
const OUTSIDE = {
  public: "https://api.example.com/v1",
  listed: "https://data.example.org/v1",
  denied: "https://tracker.example.org/",
  decimal: "http://2130706433/",
  mapped: "http://[::ffff:127.0.0.1]/",
  metadata: "http://169.254.169.254/latest/meta-data/",
  localhost: "http://localhost/",
  port: "https://api.example.com:8443/",
  platform: "https://globex.platform.example/quote",
  redirect: "https://data.example.org/redirect-to/http%3A%2F%2F10.0.0.1%2F",
  "redirect-twice":
    "https://data.example.org/redirect-to/https%3A%2F%2Fdata.example.org%2Fredirect-to%2Fhttps%253A%252F%252Fdata.example.org%252Fv1",
};

// What a tenant may say of itself, although a dispatcher says the like: who may read it, that nobody keeps it, two cookies.
const OWN_WORDS = {
  "access-control-allow-origin": "https://app.example",
  "access-control-allow-credentials": "true",
  "access-control-expose-headers": "etag",
  vary: "origin",
  "cache-control": "no-store",
  etag: '"1"',
  "set-cookie": ["theme=dark; Path=/", "basket=7; Path=/; HttpOnly"],
};

// What only the dispatcher may say, with a word that nothing else carries; and what would make a paid answer public.
const FORGED = {
  "payment-required": btoa('{"x402Version":2,"error":"forged","accepts":[]}'),
  "payment-response": btoa('{"success":true,"transaction":"0xforged","network":"eip155:84532"}'),
  "x-payment-response": btoa('{"success":true,"transaction":"0xforged","network":"base-sepolia"}'),
  "extension-responses": btoa('{"forged":{}}'),
  "x-request-id": "forged",
  "x-tenant-id": "forged",
  "x-tenant-plan": "forged",
  "payment-anything": "forged",
  "cache-control": "public, max-age=600, s-maxage=600",
  "cdn-cache-control": "max-age=600",
  "surrogate-control": "max-age=600",
  expires: "Fri, 01 Jan 2100 00:00:00 GMT",
  "set-cookie": "session=another; Domain=tenants.test; Path=/",
  // Its own to say, and the dispatcher's to leave alone.
  "access-control-allow-origin": "https://app.example",
  "clear-site-data": '"forged"',
  "service-worker-allowed": "/forged",
};

// Statuses whose answer says where something is.
const LOCATED = {
  201: { location: "/created/1" },
  202: { "content-location": "/jobs/1" },
  301: { location: "/moved" },
  302: { location: "https://elsewhere.example/found" },
  303: { location: "/other" },
  307: { location: "/again" },
  308: { location: "/again" },
};

function seen(request, url, env, status, forged = {}, fetched = undefined) {
  // A `Response` of these statuses must not have a body.
  const bodyless = [101, 204, 205, 304].includes(status);
  const body = {
    tenant: env.SCRIPT,
    canary: env.CANARY,
    method: request.method,
    target: url.pathname + url.search,
    headers: Object.fromEntries([...request.headers].filter(([name]) => /^(x-|payment-|forwarded|sign-in-|authorization)/.test(name))),
  };
  const sent = bodyless ? "" : JSON.stringify(body);
  const said = { fetched, bytes: new TextEncoder().encode(sent).length, target: body.target };
  const set = headers(env, "application/json", status, forged, said);
  // Like the usual three lines of a Worker, it lets every page in and does not look at the method.
  if (request.method === "OPTIONS") set["access-control-allow-origin"] = "*";
  return new Response(bodyless ? null : sent, { status, headers: set });
}

// The same as a page, which a browser would run in the origin that it came from.
function page(answer) {
  answer.headers.set("content-type", "text/html; charset=utf-8");
  return answer;
}

// Markup that its caller chose, as a seller's page would have it.
function html(markup, env) {
  const bytes = new TextEncoder().encode(markup);
  return new Response(bytes, { headers: headers(env, "text/html; charset=utf-8", 200, {}, { bytes: bytes.length }) });
}

// `count`: how many bytes it has, where that is known before they are sent.
function stream(body, env, count = undefined) {
  return new Response(body, { headers: headers(env, "application/octet-stream", 200, {}, { bytes: count }) });
}

const CHUNK_BYTES = 65536;

function bytes(count, env) {
  const chunk = new TextEncoder().encode(env.CANARY.padEnd(CHUNK_BYTES, "."));
  let left = count;
  return new ReadableStream({
    pull(controller) {
      const now = Math.min(left, CHUNK_BYTES);
      left -= now;
      if (now > 0) controller.enqueue(chunk.slice(0, now));
      if (left === 0) controller.close();
    },
  });
}

// A byte each time so much has passed, for ever.
function trickle(ms) {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      controller.enqueue(new Uint8Array([46]));
    },
  });
}

// Held in memory as a whole before any of it leaves.
function inOnePiece(count) {
  return new Uint8Array(count).fill(46);
}

function cutOff(count, env) {
  const whole = bytes(count, env).getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await whole.read();
      if (done) controller.error(new Error(`tenant double ${env.SCRIPT} breaks off`));
      else controller.enqueue(value);
    },
  });
}

function headers(env, contentType, status, forged, more) {
  const located = LOCATED[status] ?? {};
  const said = {
    status,
    location: located.location,
    content_location: located["content-location"],
    // What it may say itself is no forgery.
    forged: forged === OWN_WORDS ? [] : Object.keys(forged),
    cookies: [forged["set-cookie"] ?? []].flat().length,
    ...more,
  };
  const plain = {
    "content-type": contentType,
    // The usual line of whoever wants pages to read it.
    "access-control-allow-origin": "*",
    "x-canary": env.CANARY,
    "x-said": JSON.stringify(said),
  };
  const set = new Headers();
  for (const [name, values] of Object.entries({ ...plain, ...located, ...forged })) {
    for (const value of [values].flat()) set.append(name, value);
  }
  return set;
}
