// Lays the production exception over a tenant's `fetch`: the outbound proxy counts, redirect hops included, and marks its
// refusal; only inside the isolate can that be thrown at the tenant's own `await fetch()`, where it may be caught.
// Surprising constraint: this module must be evaluated before the tenant's, which may keep a reference to `fetch`.

const REFUSED = "x-namespace-refused";

const platformFetch = globalThis.fetch;
let current;

globalThis.fetch = async function fetch(input, init) {
  const answer = await platformFetch(input, init);
  // The message is in the header, too, because the answer to a HEAD has no body.
  const [token, ...message] = answer.headers.get(REFUSED)?.split(" ") ?? [];
  if (current === undefined || token !== current) return answer;
  throw new Error(message.join(" "));
};

// The token of the invocation that runs, which no answer from outside can carry.
export function begin(token) {
  current = token;
}

export const unchanged = platformFetch;
