// Miniflare plugin that puts a KV namespace of the harness in place of Miniflare's own: workerd's real binding, and behind it
// a store that the harness can change and break while the dispatcher runs. Miniflare's lies in a SQLite file that is its
// process's own.
// Surprising constraint: Miniflare asks every plugin about every worker it runs, wrangler's own included, so each hook
// must answer "nothing" for workers without our binding.
"use strict";

// The name under which the generated wrangler config asks for the plugin.
const PLUGIN = "key-value-double";
const STORE = `${PLUGIN}:store`;

function bindingOf(options) {
  for (const [name, binding] of Object.entries(options.config?.env ?? {})) {
    if (binding?.dev?.plugin?.name === PLUGIN) return { name, ...binding.dev.options };
  }
  return undefined;
}

const plugin = {
  getBindings(options) {
    const binding = bindingOf(options);
    return binding === undefined ? [] : [{ name: binding.name, kvNamespace: { name: STORE } }];
  },
  getNodeBindings() {
    return {};
  },
  getServices({ options }) {
    const binding = bindingOf(options);
    return binding === undefined ? [] : [{ name: STORE, external: { address: binding.address, http: {} } }];
  },
};

exports.plugins = { [PLUGIN]: plugin };
