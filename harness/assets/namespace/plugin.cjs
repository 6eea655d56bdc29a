// Miniflare plugin that gives `wrangler dev` a dispatch namespace: `env.DISPATCHER` becomes a thin client of a running
// `harness namespace`, which runs the tenants and enforces their limits.
// Surprising constraint: Miniflare asks every plugin about every worker it runs, wrangler's own included, so each hook
// must answer "nothing" for workers without our binding.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
require("./whole-characters.cjs");

// The name under which a wrangler config asks for the plugin.
const PLUGIN = "enforcing-dispatch-namespace";
const NAMESPACE = `${PLUGIN}:namespace`;
const CF_HEADER = "x-namespace-cf";

function bindingsOf(options) {
  return Object.entries(options.config?.env ?? {})
    .filter(([, binding]) => binding?.dev?.plugin?.name === PLUGIN)
    .map(([name, binding]) => ({ name, address: binding.dev.options.address }));
}

// Two bindings may name two running namespaces, and one namespace may be bound twice.
const service = (address) => `${NAMESPACE}:${address}`;

const plugin = {
  getBindings(options) {
    return bindingsOf(options).map(({ name, address }) => ({
      name,
      wrapped: {
        moduleName: `${PLUGIN}:dispatcher`,
        innerBindings: [
          { name: "namespace", service: { name: service(address) } },
          { name: "address", text: address },
        ],
      },
    }));
  },
  getNodeBindings() {
    return {};
  },
  getServices({ options }) {
    const addresses = new Set(bindingsOf(options).map(({ address }) => address));
    return [...addresses].map((address) => ({
      name: service(address),
      external: { address, http: { cfBlobHeader: CF_HEADER } },
    }));
  },
  getExtensions({ options }) {
    if (options.every((worker) => bindingsOf(worker).length === 0)) return [];
    const esModule = readFileSync(join(__dirname, "dispatcher.mjs"), "utf8");
    return [{ modules: [{ name: `${PLUGIN}:dispatcher`, esModule, internal: true }] }];
  },
};

exports.plugins = { [PLUGIN]: plugin };
