// Enforces the dispatched subrequest limit inside a tenant's isolate, which open-source workerd does not do.
// Surprising constraints: one isolate serves many invocations at once, so the count hangs on the async context; and this
// module must be evaluated before the tenant's, which may keep a reference to `fetch`. Redirect hops are not counted.
import { AsyncLocalStorage } from "node:async_hooks";

// What the platform throws, word for word, as the dispatcher has to recognise it.
const TOO_MANY_SUBREQUESTS =
  "Too many subrequests by single Worker invocation. To configure this limit, refer to " +
  "https://developers.cloudflare.com/workers/wrangler/configuration/#limits";

const invocation = new AsyncLocalStorage();
const platformFetch = globalThis.fetch;

globalThis.fetch = async function fetch(input, init) {
  const count = invocation.getStore();
  if (count !== undefined) {
    if (count.used >= count.limit) throw new Error(TOO_MANY_SUBREQUESTS);
    count.used += 1;
  }
  return platformFetch(input, init);
};

export function withSubrequestLimit(limit, run) {
  return invocation.run({ used: 0, limit: limit ?? Infinity }, run);
}
