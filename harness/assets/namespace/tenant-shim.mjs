// Entry module of a tenant's process: hands the request to the tenant's own handler, what that throws to the supervisor,
// and says when the invocation is over, background work included.
// Surprising constraint: a process serves one invocation at a time, so the module may keep what belongs to it.
import { Error, Request, Response, TypeError, allSettled, stringify } from "./namespace-untouched.mjs";
import { begin, unchanged as platformFetch } from "./namespace-subrequests.mjs";
import * as tenant from "./TENANT";

const TOKEN = "x-namespace-token";
const EXCEPTION = "x-namespace-exception";
const THROWN = "x-namespace-thrown";
const ANSWERED = "x-namespace-answered";
const DONE = "x-namespace-done";

// Of a message and of a stack, in UTF-16 units: what is thrown travels in a header.
const MAX_TOLD = 4096;

export default {
  async fetch(incoming, env, ctx) {
    const token = incoming.headers.get(TOKEN);
    // The supervisor's own first request, which shows that the script starts.
    if (token === null) return new Response(null, { status: 204 });
    begin(token);
    const request = new Request(incoming);
    request.headers.delete(TOKEN);
    const background = [];
    const waitUntil = ctx.waitUntil.bind(ctx);
    // Laid over the real context, because a class that extends WorkerEntrypoint takes nothing else.
    Object.defineProperty(ctx, "waitUntil", {
      value: (promise) => {
        background.push(promise);
        waitUntil(promise);
      },
    });
    try {
      return marked(await handler(env, ctx)(request));
    } catch (error) {
      return thrown(error, token);
    } finally {
      waitUntil(done(background, token));
    }
  },
};

function handler(env, ctx) {
  const entry = tenant.default;
  if (typeof entry === "function") {
    const instance = new entry(ctx, env);
    if (typeof instance.fetch === "function") return (request) => instance.fetch(request);
  }
  if (typeof entry?.fetch === "function") return (request) => entry.fetch(request, env, ctx);
  throw new TypeError("Handler does not export a fetch() function.");
}

// The runtime answers 500 by itself where it cannot send what the tenant returned, and the platform's dispatcher is thrown
// something then: what comes without the mark is not the tenant's.
function marked(answer) {
  if (!(answer instanceof Response)) {
    throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
  }
  if (answer.webSocket) {
    throw new TypeError(
      'Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket".',
    );
  }
  if (answer.bodyUsed) {
    throw new TypeError("Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
  }
  const own = withOwnHeaders(answer);
  own.headers.set(ANSWERED, "1");
  return own;
}

// What a fetch or `Response.redirect()` gave has headers that cannot be set.
function withOwnHeaders(answer) {
  try {
    answer.headers.delete(ANSWERED);
    return answer;
  } catch {
    return new Response(answer.body, answer);
  }
}

// In a header, because the answer to a HEAD has no body.
function thrown(error, token) {
  const headers = { [EXCEPTION]: token, [THROWN]: ascii(stringify(described(error))) };
  return new Response(null, { status: 500, headers });
}

// Anything can be thrown: what has no text, or throws when it is asked for it, as well.
function described(error) {
  const told = (text) => {
    try {
      return `${text()}`.slice(0, MAX_TOLD).toWellFormed();
    } catch {
      return undefined;
    }
  };
  if (!(error instanceof Error)) return { name: "Error", message: told(() => String(error)) ?? "" };
  return {
    name: told(() => error.name) ?? "Error",
    message: told(() => error.message) ?? "",
    stack: told(() => error.stack),
  };
}

// A header cannot carry more, and JSON can say anything in it.
function ascii(json) {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function done(background, token) {
  // Background work may bring more of itself.
  for (let seen = -1; seen !== background.length; ) {
    seen = background.length;
    await allSettled(background);
  }
  await platformFetch("http://namespace/", { headers: { [DONE]: token } });
}
