// A fault planted around a built dispatcher, for the self-test of the load tests. This is put in place of the bundle's default
// export. The words in capitals are replaced before it is written. The bundle below it is the one that ships.
class DynamicDispatcher {
  #namespace;

  constructor(namespace) {
    this.#namespace = namespace;
  }

  get(name, args) {
    return this.#namespace.get(name, args, {});
  }
}

const plantedKept = [];
const plantedFault = "FAULT";

const planted = {
  async fetch(request, env, ctx) {
    if (plantedFault === "slower") plantedWork(AMOUNT);
    if (plantedFault === "leaks") plantedKept.push(new Uint8Array(AMOUNT).fill(1));
    const seen = Object.create(env);
    if (plantedFault === "drops-limits") {
      Object.defineProperty(seen, "DISPATCHER", { value: new DynamicDispatcher(env.DISPATCHER) });
    }
    const original = ORIGINAL;
    const answer =
      typeof original === "function"
        ? await new original(ctx, seen).fetch(request)
        : await original.fetch(request, seen, ctx);
    if (plantedFault === "refuses-unknown" && answer.status === 503) {
      return new Response(answer.body, { status: 402, headers: answer.headers });
    }
    return answer;
  },
};

// The same work each time, whatever the clock says.
function plantedWork(steps) {
  let mixed = 1;
  for (let step = 0; step < steps; step += 1) mixed = (Math.imul(mixed, 1664525) + 1013904223) | 0;
  globalThis.plantedSum = mixed;
}
