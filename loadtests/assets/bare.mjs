// A Worker that only dispatches, and that sells without looking: what any dispatcher under this runtime costs at the least. It
// finds the tenant by its host and hands the request on with the plan's limits. A tenant that has a price gets the same 402
// for each request without a payment; one with a payment is verified, run and settled. Nothing is checked and nothing is
// kept, so nothing can be collected, replayed or reconciled.
let tenants;

export default {
  async fetch(request, env) {
    tenants ??= JSON.parse(env.TENANTS);
    const tenant = tenants[new URL(request.url).hostname];
    if (tenant === undefined) return new Response("no such tenant", { status: 404 });
    const dispatch = () => env.DISPATCHER.get(tenant.script, {}, { limits: tenant.limits }).fetch(request);
    if (tenant.offer === null) return dispatch();
    const payment = request.headers.get("payment-signature");
    if (payment === null) {
      const headers = { "content-type": "application/json", "payment-required": tenant.offer };
      return new Response('{"error":{"code":"payment_required"}}', { status: 402, headers });
    }
    const payload = JSON.parse(atob(payment));
    const asked = JSON.stringify({ paymentPayload: payload, paymentRequirements: payload.accepted });
    await ask(env, "verify", asked);
    const content = await dispatch();
    const body = await content.arrayBuffer();
    const settled = await ask(env, "settle", asked);
    return new Response(body, { status: content.status, headers: { "payment-response": btoa(settled) } });
  },
};

async function ask(env, call, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${env.FACILITATOR_URL}/${call}`, { method: "POST", headers, body });
  return answer.text();
}
