// The dispatcher's opponent: the official server library, `@x402/hono`, as a Worker that sells one tenant's content at the
// same price, through the same facilitator. Nothing of it is made slower or weaker than its documentation shows.
// Surprising constraint: the library's own start-up sync (its default) hangs every later request if the request during
// which it began ends first, so it is switched off here and done inside a request, before the first answer.
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/hono";
import { Hono } from "hono";
import tenant from "../namespace/tenant.mjs";

let app;

export default {
  async fetch(request, env, ctx) {
    // Kept only when it is whole: a start that failed, or was cut off, is made again by the next request.
    app ??= await start(env);
    return app.fetch(request, env, ctx);
  },
};

async function start(env) {
  const timeoutMs = env.FACILITATOR_TIMEOUT_MS && Number(env.FACILITATOR_TIMEOUT_MS);
  const facilitator = new HTTPFacilitatorClient({ url: env.FACILITATOR_URL, timeoutMs });
  const server = new x402ResourceServer(facilitator).register(env.NETWORK, new ExactEvmScheme());
  await server.initialize();

  const offer = {
    accepts: {
      scheme: "exact",
      network: env.NETWORK,
      price: env.PRICE,
      payTo: env.PAY_TO,
      maxTimeoutSeconds: Number(env.MAX_TIMEOUT_SECONDS),
    },
    description: env.DESCRIPTION,
    mimeType: env.MIME_TYPE,
  };
  const started = new Hono();
  started.use(paymentMiddleware({ "/*": offer }, server, undefined, undefined, false));
  started.all("/*", async (c) => {
    if (env.RECORDER) await recordRun(env);
    return tenant.fetch(c.req.raw, env);
  });
  return started;
}

// Where runs of the handler are counted, as those of the dispatcher's tenants are.
async function recordRun(env) {
  const answer = await env.RECORDER.fetch(`http://recorder${env.RECORDER_PATH}`, {
    method: "POST",
    body: JSON.stringify({ script: env.SCRIPT }),
  });
  await answer.arrayBuffer();
}
