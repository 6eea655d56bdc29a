// Miniflare plugin that has the rate limiting bindings of several dispatchers counted in one place, as one of the platform's
// locations does; Miniflare's own count for each process alone.
// Surprising constraint: Miniflare asks every plugin about every worker it runs, wrangler's own included, so each hook
// must answer "nothing" for workers without our bindings.
"use strict";

// The name under which the generated wrangler config asks for the plugin.
const PLUGIN = "location-counter-double";
const COUNTER = `${PLUGIN}:counter`;
const BINDING = `${PLUGIN}:binding`;

// The object behind `env.RATE_20`. What the double cannot say is an error, as the platform's own would be.
const MODULE = `
export default ({ counter, figure }) => ({
  async limit({ key }) {
    const answer = await counter.fetch("http://location/" + figure, { method: "POST", body: key });
    if (!answer.ok) throw new Error("location counter: " + answer.status);
    return { success: (await answer.text()) === "true" };
  },
});
`;

function bindingsOf(options) {
  return Object.entries(options.config?.env ?? {})
    .filter(([, binding]) => binding?.dev?.plugin?.name === PLUGIN)
    .map(([name, binding]) => ({ name, ...binding.dev.options }));
}

const plugin = {
  getBindings(options) {
    return bindingsOf(options).map(({ name, figure }) => ({
      name,
      wrapped: {
        moduleName: BINDING,
        innerBindings: [
          { name: "counter", service: { name: COUNTER } },
          { name: "figure", json: JSON.stringify(figure) },
        ],
      },
    }));
  },
  getNodeBindings() {
    return {};
  },
  getServices({ options }) {
    const [first] = bindingsOf(options);
    return first === undefined ? [] : [{ name: COUNTER, external: { address: first.address, http: {} } }];
  },
  getExtensions({ options }) {
    if (options.every((worker) => bindingsOf(worker).length === 0)) return [];
    return [{ modules: [{ name: BINDING, esModule: MODULE, internal: true }] }];
  },
};

exports.plugins = { [PLUGIN]: plugin };
