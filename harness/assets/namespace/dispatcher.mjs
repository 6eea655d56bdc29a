// The object behind `env.DISPATCHER`: says over HTTP what was asked of it, and throws what the namespace says was thrown.
// Surprising constraint: `get` has to return something that is a Fetcher to `instanceof` and by its constructor's name,
// and none can be made here; so each is an object on the one Fetcher that reaches the namespace, with a `fetch` of its own.

const DISPATCH = "x-namespace-dispatch";
const EXCEPTION = "x-namespace-exception";

const MAX_WHOLE = 2 ** 32 - 1;

// Without a prototype: an error's name is the tenant's, and may be "constructor".
const ERRORS = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

// workers-rs looks the binding up by this class name.
class DynamicDispatcher {
  #env;

  constructor(env) {
    this.#env = env;
  }

  // Lazy, as on the platform: nothing is asked until the Fetcher fetches, and an unknown name only fails then. Limits that
  // are no numbers fail here.
  get(name, _args, options) {
    const { namespace, address } = this.#env;
    const dispatch = { script: `${name}`, limits: asTheRuntimeReads(options?.limits), outbound: options?.outbound };
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
  const exception = answer.headers.get(EXCEPTION);
  if (exception === null) return answer;
  const { name, message, remote } = JSON.parse(exception);
  // Only what the platform or the tenant threw is remote; what this stand-in cannot do is said as its own error.
  throw Object.assign(new (ERRORS[name] ?? Error)(message), remote ? { remote } : {});
}

// As workerd reads the limits of its worker loader, whose messages these are. A key that is none is passed on without its
// value, for the namespace to say so: it limits nothing.
function asTheRuntimeReads(limits) {
  if (limits === undefined || limits === null) return {};
  if (typeof limits !== "object" && typeof limits !== "function") {
    throw new TypeError("Incorrect type for the 'limits' field: the provided value is not of type 'ResourceLimits'.");
  }
  const others = Object.fromEntries(Object.keys(limits).map((key) => [key, null]));
  return { ...others, cpuMs: whole(limits.cpuMs), subRequests: whole(limits.subRequests) };
}

function whole(value) {
  if (value === undefined) return undefined;
  const number = +value;
  if (!Number.isFinite(number)) {
    throw new TypeError("The value cannot be converted because it is not an integer.");
  }
  if (number < 0) {
    throw new TypeError(
      "The value cannot be converted because it is negative and this API expects a positive number.",
    );
  }
  if (number > MAX_WHOLE) throw new TypeError(`Value out of range. Must be less than or equal to ${MAX_WHOLE}.`);
  return Math.trunc(number);
}

// A header cannot carry more, and JSON can say anything in it.
function ascii(json) {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export default (env) => new DynamicDispatcher(env);
