// Lays the production exception over a tenant's `fetch`: the outbound proxy counts, redirect hops included, and marks its
// refusal; only inside the isolate can that be thrown at the tenant's own `await fetch()`, where it may be caught.
// Surprising constraints: this module must be evaluated before the tenant's, which may keep a reference to `fetch`; and
// the tenant may import it, which gives it no more than to see a refusal as an answer.
import { Error, getHeader, headersOfResponse } from "./namespace-untouched.mjs";

// The proxy takes it off whatever comes from outside.
const REFUSED = "x-namespace-refused";

const platformFetch = globalThis.fetch;

globalThis.fetch = async function fetch(input, init) {
  const answer = await platformFetch(input, init);
  // The message is in the header, because the answer to a HEAD has no body.
  const refused = getHeader(headersOfResponse(answer), REFUSED);
  if (refused === null) return answer;
  throw new Error(refused);
};

export const unchanged = platformFetch;
