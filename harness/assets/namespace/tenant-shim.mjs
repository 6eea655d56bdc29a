// Entry module of a tenant's process: hands the request to the tenant's own handler, what that throws to the supervisor,
// and says when the invocation is over, background work included.
// Surprising constraint: the tenant's script has run before any of this does, and whoever has the token can end the
// invocation early: where that or background work is handled, nothing is looked up that the tenant can have replaced.
import {
  Error,
  Promise,
  Request,
  Response,
  TypeError,
  defineProperty,
  deleteHeader,
  freeze,
  getHeader,
  headersOfRequest,
  headersOfResponse,
  setHeader,
  stringify,
  then,
} from "./namespace-untouched.mjs";
import { unchanged as platformFetch } from "./namespace-subrequests.mjs";
import * as tenant from "./TENANT";

const TOKEN = "x-namespace-token";
const EXCEPTION = "x-namespace-exception";
const THROWN = "x-namespace-thrown";
const ANSWERED = "x-namespace-answered";
const DONE = "x-namespace-done";

// Of a message and of a stack, in UTF-16 units: what is thrown travels in a header.
const MAX_TOLD = 4096;

// Frozen, because the tenant can import it, and would put a `fetch` of its own in there.
export default freeze({
  async fetch(incoming, env, ctx) {
    const token = getHeader(headersOfRequest(incoming), TOKEN);
    // The supervisor's own first request, which shows that the script starts.
    if (token === null) return new Response(null, { status: 204 });
    const request = new Request(incoming);
    deleteHeader(headersOfRequest(request), TOKEN);
    const background = backgroundWork();
    const waitUntil = ctx.waitUntil.bind(ctx);
    // Laid over the real context, because a class that extends WorkerEntrypoint takes nothing else.
    defineProperty(ctx, "waitUntil", {
      __proto__: null,
      value: (work) => {
        // One promise for both, or a thenable could tell the runtime and the count different things.
        const promise = new Promise((resolve) => resolve(work));
        background.add(promise);
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
});

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
  const answer = new Response(null, { status: 500 });
  const headers = headersOfResponse(answer);
  setHeader(headers, THROWN, ascii(stringify(described(error))));
  setHeader(headers, EXCEPTION, token);
  return answer;
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

// Counted, because a list of promises would be gone through by methods that the tenant can replace.
function backgroundWork() {
  let running = 0;
  let nothingRuns = () => {};
  const ended = () => {
    running -= 1;
    if (running === 0) nothingRuns();
  };
  return {
    add(promise) {
      running += 1;
      then(promise, ended, ended);
    },
    isRunning: () => running > 0,
    over: () => new Promise((resolve) => (nothingRuns = resolve)),
  };
}

async function done(background, token) {
  // Background work may bring more of itself.
  while (background.isRunning()) await background.over();
  // In no object that inherits: the runtime would look for more in there, and find the tenant's.
  const word = new Request("http://namespace/");
  setHeader(headersOfRequest(word), DONE, token);
  await platformFetch(word);
}
