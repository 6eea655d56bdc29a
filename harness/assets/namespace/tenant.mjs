// Tenant double: a seller's Worker that says who it is (its canary, which nobody else knows) and what reached it, and
// that misbehaves on request by its path.
// Surprising constraint: it is a double of any seller's code, so it must not use anything but the public Workers API.

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, fault, argument] = url.pathname.split("/");
    switch (fault) {
      case "status":
        return seen(request, url, env, Number(argument));
      case "throw":
        throw new Error(`tenant double ${env.SCRIPT} throws`);
      case "slow":
        await new Promise((resolve) => setTimeout(resolve, Number(argument)));
        return seen(request, url, env, 200);
      case "subrequests":
        for (let sent = 0; sent < Number(argument); sent += 1) {
          const answer = await fetch(`https://origin.example/${sent}`);
          await answer.arrayBuffer();
        }
        return seen(request, url, env, 200);
      case "big":
        return big(Number(argument), env);
      default:
        return seen(request, url, env, 200);
    }
  },
};

function seen(request, url, env, status) {
  // A `Response` of these statuses must not have a body.
  const bodyless = [101, 204, 205, 304].includes(status);
  const body = {
    tenant: env.SCRIPT,
    canary: env.CANARY,
    method: request.method,
    target: url.pathname + url.search,
    headers: Object.fromEntries([...request.headers].filter(([name]) => name.startsWith("x-"))),
  };
  return new Response(bodyless ? null : JSON.stringify(body), { status, headers: headers(env, "application/json") });
}

function big(bytes, env) {
  const CHUNK_BYTES = 65536;
  const chunk = new TextEncoder().encode(env.CANARY.padEnd(CHUNK_BYTES, "."));
  let left = bytes;
  const body = new ReadableStream({
    pull(controller) {
      const now = Math.min(left, CHUNK_BYTES);
      left -= now;
      if (now > 0) controller.enqueue(chunk.slice(0, now));
      if (left === 0) controller.close();
    },
  });
  return new Response(body, { headers: headers(env, "application/octet-stream") });
}

function headers(env, contentType) {
  return { "content-type": contentType, "x-canary": env.CANARY };
}
