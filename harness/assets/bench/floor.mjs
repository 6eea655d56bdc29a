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
    if (env.SHARDS !== undefined) {
      const key = crypto.randomUUID();
      const ledger = env.LEDGER.getByName(String(parseInt(key.slice(0, 4), 16) % Number(env.SHARDS)));
      await ledger.verify(key, payment);
      const settled = await ledger.settle(key, CONTENT);
      return new Response(CONTENT, { headers: { "payment-response": settled } });
    }
    const ledger = env.LEDGER.get(env.LEDGER.idFromName(payment));
    await (await ledger.fetch("http://ledger/verify", { method: "POST", body: payment })).arrayBuffer();
    const settled = await ledger.fetch("http://ledger/settle", { method: "POST", body: CONTENT });
    return new Response(CONTENT, { headers: { "payment-response": await settled.text() } });
  },
};

/**
 * One payment: two keys, one alarm. As a warm shard, which is asked by RPC: a row for each payment, written when it is
 * verified, with its content before the settlement is asked for, and after that; and one alarm.
 */
export class Ledger extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    if (env.SHARDS === undefined) return;
    const { sql } = ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS payment (key TEXT PRIMARY KEY, record TEXT NOT NULL, due INTEGER)");
    sql.exec("CREATE INDEX IF NOT EXISTS payment_due ON payment (due)");
    sql.exec("CREATE TABLE IF NOT EXISTS response (key TEXT PRIMARY KEY, body BLOB NOT NULL)");
    ctx.storage.setAlarm(Date.now() + 3_600_000);
    this.payments = new Map();
  }

  async verify(key, payment) {
    const payload = JSON.parse(atob(payment));
    const asked = JSON.stringify({ paymentPayload: payload, paymentRequirements: payload.accepted });
    this.payments.set(key, asked);
    const answer = await this.askWith("verify", asked);
    this.write(key, asked);
    return answer;
  }

  async settle(key, content) {
    const asked = this.payments.get(key);
    this.payments.delete(key);
    this.ctx.storage.sql.exec("INSERT INTO response VALUES (?, ?)", key, new TextEncoder().encode(content));
    this.write(key, asked);
    const answer = await this.askWith("settle", asked);
    this.write(key, asked + answer);
    return btoa(answer);
  }

  write(key, record) {
    const save = "INSERT INTO payment VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET record = ?2, due = ?3";
    this.ctx.storage.sql.exec(save, key, record, Date.now() + 3_600_000);
  }

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

  ask(call) {
    return this.askWith(call, this.asked);
  }

  async askWith(call, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.env.FACILITATOR_URL}/${call}`, { method: "POST", headers, body });
    return answer.text();
  }

  async alarm() {
    if (this.env.SHARDS !== undefined) return;
    await this.ctx.storage.deleteAll();
  }
}
