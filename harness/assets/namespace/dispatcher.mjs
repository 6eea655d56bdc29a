// The object behind `env.DISPATCHER`: a double of the platform's dynamic dispatch binding.
// Surprising constraint: `get` has to return a real Fetcher, which cannot be made here, only obtained; so each run is
// recorded by a `fetch` laid over the tenant's own Fetcher, on the dispatcher's side, where no tenant code can reach it.
import runtime from "cloudflare-internal:workers";

// workers-rs looks the binding up by this class name.
class DynamicDispatcher {
  #env;
  #tenants;

  constructor(env) {
    this.#env = env;
    this.#tenants = new Map(env.namespace.tenants.map((tenant) => [tenant.script, tenant]));
  }

  // Lazy, as on the platform: every name gets a Fetcher, and an unknown one only fails when it is fetched.
  get(name, _args, options) {
    const limits = {
      cpuMs: numberOrAbsent(options?.limits?.cpuMs),
      subRequests: numberOrAbsent(options?.limits?.subRequests),
    };
    const tenant = this.#tenants.get(name);
    return tenant === undefined ? this.#missing() : this.#tenant(tenant, limits);
  }

  #tenant({ script, canary }, limits) {
    const { namespace, loader, outbound } = this.#env;
    const fetcher = loader
      .get(`tenant:${script}`, () => ({
        compatibilityDate: namespace.compatibilityDate,
        compatibilityFlags: ["nodejs_als"],
        mainModule: "shim.mjs",
        modules: {
          "shim.mjs": { js: namespace.shim },
          "subrequest-limit.mjs": { js: namespace.subrequestLimit },
          "tenant.mjs": { js: namespace.tenant },
        },
        env: { SCRIPT: script, CANARY: canary },
        globalOutbound: outbound,
      }))
      .getEntrypoint(null, { limits, props: { subRequests: limits.subRequests } });
    const fetch = async (input, init) => {
      // On its way while the tenant runs, but in before the answer is: the harness kills this process on purpose, and a
      // run that was answered must not be missing from the books. A failed report is logged and costs nobody an answer.
      const recorded = this.#record(script, limits, requestId(input, init));
      runtime.waitUntil(recorded);
      try {
        return await Reflect.getPrototypeOf(fetcher).fetch.call(fetcher, input, init);
      } finally {
        await recorded.catch(() => {});
      }
    };
    return Object.defineProperty(fetcher, "fetch", { value: fetch });
  }

  #missing() {
    const { namespace, loader } = this.#env;
    return loader
      .get("missing", () => ({
        compatibilityDate: namespace.compatibilityDate,
        mainModule: "missing.mjs",
        modules: { "missing.mjs": { js: namespace.missing } },
        globalOutbound: null,
      }))
      .getEntrypoint();
  }

  async #record(script, limits, request_id) {
    const { namespace, recorder } = this.#env;
    const answer = await recorder.fetch(`http://recorder${namespace.recorderPath}`, {
      method: "POST",
      body: JSON.stringify({ script, cpu_ms: limits.cpuMs, sub_requests: limits.subRequests, request_id }),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`namespace double: the recorder answered ${answer.status}`);
  }
}

// A misspelt key is an absent limit, as it is on the platform.
function numberOrAbsent(value) {
  return typeof value === "number" ? value : undefined;
}

function requestId(input, init) {
  const headers = init?.headers ?? (input instanceof Request ? input.headers : undefined);
  return new Headers(headers).get("x-request-id") ?? undefined;
}

export default (env) => new DynamicDispatcher(env);
