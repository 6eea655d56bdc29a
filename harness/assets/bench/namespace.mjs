// The object behind `env.DISPATCHER` under plain workerd: a name is a service of the same process. It enforces nothing and
// keeps no books, because what is measured or compared here is the dispatcher beside a server that runs its own handler;
// processes of tenants on the same two cores, and a proxy in front of them, would be most of the number.
// Surprising constraint: workers-rs looks the binding up by this class name.
class DynamicDispatcher {
  #env;

  constructor(env) {
    this.#env = env;
  }

  get(name) {
    const tenant = this.#env[name];
    if (tenant === undefined) throw new Error("Worker not found.");
    return tenant;
  }
}

export default (env) => new DynamicDispatcher(env);
