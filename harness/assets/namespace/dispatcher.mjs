// The object behind `env.DISPATCHER`: says over HTTP what was asked of it, and throws what the namespace says was thrown.
// Surprising constraint: `get` has to return something that is a Fetcher to `instanceof` and by its constructor's name,
// and none can be made here; so each is an object on the one Fetcher that reaches the namespace, with a `fetch` of its own.

const DISPATCH = "x-namespace-dispatch";
const EXCEPTION = "x-namespace-exception";

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

// workers-rs looks the binding up by this class name.
class DynamicDispatcher {
  #env;

  constructor(env) {
    this.#env = env;
  }

  // Lazy, as on the platform: nothing is asked until the Fetcher fetches, and an unknown name only fails then.
  get(name, _args, options) {
    const { namespace, address } = this.#env;
    const dispatch = {
      script: `${name}`,
      limits: {
        cpuMs: numberOrAbsent(options?.limits?.cpuMs),
        subRequests: numberOrAbsent(options?.limits?.subRequests),
      },
      outbound: options?.outbound,
    };
    const fetch = (input, init) => run(namespace, address, dispatch, new Request(input, init));
    return Object.create(namespace, { fetch: { value: fetch } });
  }
}

async function run(namespace, address, dispatch, request) {
  const headers = new Headers(request.headers);
  headers.set(DISPATCH, ascii(JSON.stringify({ ...dispatch, url: request.url })));
  const { method, body, signal, cf } = request;
  let answer;
  try {
    answer = await namespace.fetch("http://namespace/", { method, headers, body, signal, cf, redirect: "manual" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`local dispatch namespace: no answer from ${address}; is "harness namespace" running?`, {
      cause: error,
    });
  }
  if (!answer.headers.has(EXCEPTION)) return answer;
  const { name, message, remote } = await answer.json();
  // Only what the platform or the tenant threw is remote; what this stand-in cannot do is said as its own error.
  throw Object.assign(new (ERRORS[name] ?? Error)(message), remote ? { remote } : {});
}

// A misspelt key is an absent limit, as it is on the platform.
function numberOrAbsent(value) {
  return typeof value === "number" ? value : undefined;
}

// A header cannot carry more, and JSON can say anything in it.
function ascii(json) {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export default (env) => new DynamicDispatcher(env);
