// The object behind `env.DISPATCHER` under plain workerd: a name is a service of the same process. It cuts nobody off and
// keeps no books, because what is measured or compared here is the dispatcher beside a server that runs its own handler;
// processes of tenants on the same two cores, and a proxy in front of them, would be most of the number. A dispatch that does not
// carry the limits which `LIMITS` has for its script is answered by the double itself, so that it is a wrong answer to its caller.
// Surprising constraint: workers-rs looks the binding up by this class name.
const WITHOUT_LIMITS = { fetch: async () => new Response("dispatched without its limits", { status: 500 }) };

class DynamicDispatcher {
  #env;
  #limits;

  constructor(env) {
    this.#env = env;
    this.#limits = JSON.parse(env.LIMITS);
  }

  get(name, args, options) {
    const tenant = this.#env[name];
    if (tenant === undefined) throw new Error("Worker not found.");
    const wanted = this.#limits[name];
    const { cpuMs, subRequests } = options?.limits ?? {};
    if (wanted !== undefined && (wanted.cpuMs !== cpuMs || wanted.subRequests !== subRequests)) return WITHOUT_LIMITS;
    return tenant;
  }
}

export default (env) => new DynamicDispatcher(env);
