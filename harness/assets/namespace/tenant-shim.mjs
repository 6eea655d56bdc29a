// Entry module of a tenant's process: hands the request to the tenant's own handler, what that throws to the supervisor,
// and says when the invocation is over, background work included.
// Surprising constraint: a process serves one invocation at a time, so the module may keep what belongs to it.
import { begin, unchanged as platformFetch } from "./namespace-subrequests.mjs";
import * as tenant from "./TENANT";

const TOKEN = "x-namespace-token";
const EXCEPTION = "x-namespace-exception";
const DONE = "x-namespace-done";

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
      const answer = await handler(env, ctx)(request);
      if (answer instanceof Response) return answer;
      throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
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

function thrown(error, token) {
  const { name, message, stack } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return new Response(JSON.stringify({ name, message, stack }), { status: 500, headers: { [EXCEPTION]: token } });
}

async function done(background, token) {
  // Background work may bring more of itself.
  for (let seen = -1; seen !== background.length; ) {
    seen = background.length;
    await Promise.allSettled(background);
  }
  await platformFetch("http://namespace/", { headers: { [DONE]: token } });
}
