// Miniflare plugin that stands in for a Workers-for-Platforms dispatch namespace, which `wrangler dev` cannot simulate.
// It is loaded through `unsafe.bindings[].dev.plugin`, so the dispatcher's bundle is the one that ships.
// Surprising constraint: Miniflare asks every plugin about every worker it runs, wrangler's own included, so each hook
// must answer "nothing" for workers without our binding.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
require("./whole-characters.cjs");

// The name under which the generated wrangler config asks for the plugin.
const PLUGIN = "dispatch-namespace-double";
const RECORDER = `${PLUGIN}:recorder`;
const OUTBOUND = `${PLUGIN}:outbound`;
// Every isolate of the stand-in runs on one date, so that a new workerd does not change what tenants see.
const COMPATIBILITY_DATE = "2026-04-01";

const source = (file) => readFileSync(join(__dirname, file), "utf8");

function bindingOf(options) {
  for (const [name, binding] of Object.entries(options.config?.env ?? {})) {
    if (binding?.dev?.plugin?.name === PLUGIN) return { name, ...binding.dev.options };
  }
  return undefined;
}

const plugin = {
  getBindings(options) {
    const namespace = bindingOf(options);
    if (namespace === undefined) return [];
    return [
      {
        name: namespace.name,
        wrapped: {
          moduleName: `${PLUGIN}:dispatcher`,
          innerBindings: [
            { name: "loader", workerLoader: { id: PLUGIN } },
            { name: "recorder", service: { name: RECORDER } },
            { name: "outbound", service: { name: OUTBOUND } },
            {
              name: "namespace",
              json: JSON.stringify({
                compatibilityDate: COMPATIBILITY_DATE,
                recorderPath: namespace.recorderPath,
                tenants: namespace.tenants,
                missing: source("missing.mjs"),
                shim: source("shim.mjs"),
                subrequestLimit: source("subrequest-limit.mjs"),
                tenant: source("tenant.mjs"),
              }),
            },
          ],
        },
      },
    ];
  },
  getNodeBindings() {
    return {};
  },
  getServices({ options }) {
    const namespace = bindingOf(options);
    if (namespace === undefined) return [];
    return [
      { name: RECORDER, external: { address: namespace.recorderAddress, http: {} } },
      {
        name: OUTBOUND,
        worker: {
          compatibilityDate: COMPATIBILITY_DATE,
          modules: [{ name: "outbound.mjs", esModule: source("outbound.mjs") }],
        },
      },
    ];
  },
  getExtensions({ options }) {
    if (options.every((worker) => bindingOf(worker) === undefined)) return [];
    return [
      { modules: [{ name: `${PLUGIN}:dispatcher`, esModule: source("dispatcher.mjs"), internal: true }] },
    ];
  },
};

exports.plugins = { [PLUGIN]: plugin };
