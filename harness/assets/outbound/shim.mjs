// Entry in front of the outbound Worker's own bundle: on the platform its parameters are properties of `env`, one set a
// dispatch; here the dispatch namespace sends them along as a header.
// Surprising constraint: the bundle's class is made anew for each request, because `env` is fixed when a class is made.
import Outbound from "./index.js";

const HEADER = "x-namespace-outbound";

export default {
  fetch(request, env, ctx) {
    const { parameters } = JSON.parse(request.headers.get(HEADER) ?? "{}");
    const headers = new Headers(request.headers);
    headers.delete(HEADER);
    return new Outbound(ctx, { ...env, ...parameters }).fetch(new Request(request, { headers }));
  },
};
