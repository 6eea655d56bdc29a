// The entry that the runtime calls: a plain object in place of the class and the two proxies that worker-build makes for each
// request. The build puts it in front of the generated module, which is `generated.js` then. The generated entry still does
// what it alone can: it starts wasm anew after a critical error.
//
// Surprising: the generated module exports no functions. They are methods of its entry's class, and need no object.
import { DurableObject } from "cloudflare:workers";
import Generated, * as generated from "./generated.js";

const state = globalThis.__worker_init_state;
const { serve, keep_books: keepBooks } = Generated.prototype;

// As one text: each header that wasm asks for by itself is a crossing and two conversions.
function textOf(request) {
  let text = request.method + "\n" + request.url;
  for (const [name, value] of request.headers) text += "\n" + name + "\n" + value;
  return text;
}

// An object of the generated class, behind one that the runtime lets others ask without a `fetch`. The former version asks by
// that, for as long as a deploy takes.
function object({ prototype: { constructor: Wasm } }) {
  return class extends DurableObject {
    #wasm;
    #instance;

    // One of another instance of wasm is gone with that.
    #object() {
      if (this.#instance !== state.instanceId) {
        this.#wasm = new Wasm(this.ctx, this.env);
        this.#instance = state.instanceId;
      }
      return this.#wasm;
    }

    ask(frame) {
      return guarded(() => this.#object().ask(frame), this.env, this.ctx);
    }

    async fetch(request) {
      const frame = new Uint8Array(await request.arrayBuffer());
      return new Response(await this.ask(frame));
    }

    alarm() {
      return guarded(() => this.#object().alarm(), this.env, this.ctx);
    }
  };
}

export const LedgerShard = object(generated.LedgerShard);
export const SettlementLedger = object(generated.SettlementLedger);
export const PaymentIdentifier = object(generated.PaymentIdentifier);
export const SettledTransactions = object(generated.SettledTransactions);
export const FacilitatorHealth = object(generated.FacilitatorHealth);
export const TenantQuarantine = object(generated.TenantQuarantine);

// Runs `work` of wasm's. After a critical error wasm starts anew before the next.
function guarded(work, env, ctx) {
  // Making one of the generated entries makes a new instance of wasm.
  if (state.criticalError) new Generated(ctx, env);
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) {
      console.error("Critical", error);
      state.criticalError = true;
    }
    throw error;
  }
}

function run(work, env, ctx) {
  const done = guarded(work, env, ctx);
  // What waits runs to completion: a caller that hangs up must not stop a sale half way, with a payment claimed and nobody
  // to give it back.
  if (done instanceof Promise) ctx.waitUntil(done);
  return done;
}

export default {
  fetch: (request, env, ctx) => run(() => serve(textOf(request), request, env, ctx), env, ctx),
  scheduled: (_event, env, ctx) => run(() => keepBooks(env, ctx), env, ctx),
};
