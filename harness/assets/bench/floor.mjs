// What the runtime itself costs: a Worker that looks at nothing. Every request without a payment gets the same 402. One
// with a payment goes through a Durable Object of its own, as the design of the settlement ledger wants it: one call to it
// before the content is made and one after, each stored before the facilitator is asked. Nothing is checked and nothing can
// be collected, replayed or reconciled: no ledger that can is faster than this one under this runtime.

import { DurableObject } from "cloudflare:workers";

const CONTENT = '{"quote":1}';

export default {
  async fetch(request, env) {
    const payment = request.headers.get("payment-signature");
    if (payment === null) {
      return new Response('{"error":{"code":"payment_required"}}', {
        status: 402,
        headers: { "content-type": "application/json", "payment-required": env.PAYMENT_REQUIRED },
      });
    }
    const ledger = env.LEDGER.get(env.LEDGER.idFromName(payment));
    await (await ledger.fetch("http://ledger/verify", { method: "POST", body: payment })).arrayBuffer();
    const settled = await ledger.fetch("http://ledger/settle", { method: "POST", body: CONTENT });
    return new Response(CONTENT, { headers: { "payment-response": await settled.text() } });
  },
};

/** One payment: two keys, one alarm. */
export class Ledger extends DurableObject {
  async fetch(request) {
    const { kv } = this.ctx.storage;
    const body = await request.text();
    if (request.url.endsWith("/verify")) {
      const payload = JSON.parse(atob(body));
      this.asked = JSON.stringify({ paymentPayload: payload, paymentRequirements: payload.accepted });
      kv.put("record", this.asked);
      this.ctx.storage.setAlarm(Date.now() + 60_000);
      return new Response(await this.ask("verify"));
    }
    kv.put("record", this.asked);
    kv.put("response", body);
    const answer = await this.ask("settle");
    kv.put("record", answer);
    return new Response(btoa(answer));
  }

  async ask(call) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.env.FACILITATOR_URL}/${call}`, { method: "POST", headers, body: this.asked });
    return answer.text();
  }

  async alarm() {
    await this.ctx.storage.deleteAll();
  }
}
