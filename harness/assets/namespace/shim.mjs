// Entry module of a tenant in the namespace double: puts the dispatched limits around the tenant's own handler.
// Surprising constraint: the tenant gets a context of its own, because `ctx.props` carries the limits.
import { withSubrequestLimit } from "./subrequest-limit.mjs";
import tenant from "./tenant.mjs";

export default {
  fetch(request, env, ctx) {
    const tenantContext = {
      waitUntil: (promise) => ctx.waitUntil(promise),
      passThroughOnException: () => ctx.passThroughOnException(),
      props: {},
    };
    return withSubrequestLimit(ctx.props.subRequests, () => tenant.fetch(request, env, tenantContext));
  },
};
