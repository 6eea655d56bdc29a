// Looks for payments that the official library throws at, and makes each as small as it can be. Run by hand when the library
// gets a new version: what it finds goes to `dispatcher/x402-protocol/testdata/throws`.
//
//   node target/official-facilitator/fuzz.mjs SECONDS SEED FOLDER LOCAL_CHECKS
//
// It is bundled there beside the server, whenever an official world is run. LOCAL_CHECKS is the built example `local_checks`
// of x402-protocol: it says what the dispatcher would forward. For every
// distinct error there is one file of what is forwarded, if there is any, and else one of what is refused.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ASSET, CODES, Mutator, REQUIREMENTS } from "./mutate.mjs";
import { paper } from "./paper.mjs";

const [seconds, seed, folder, localChecks] = process.argv.slice(2);
const options = { chainId: 84532, asset: ASSET, name: "USDC", version: "2", receiptMs: 0, confirmMs: 1000, allowance: 10n ** 15n };
const { facilitators } = paper({ ...options, facilitators: ["plain", "sponsoring"], codes: Object.entries(CODES) });
// As the example for gas sponsoring registers it, with a signer that sends nothing.
facilitators[1].library.registerExtension({
  key: "erc20ApprovalGasSponsoring",
  signer: { simulateTransactions: async () => true, sendTransactions: async () => [], waitForTransactionReceipt: async () => ({}) },
});

// A rejection that nobody handles ends a Node server: worse than a 500.
let unhandled;
process.on("unhandledRejection", (error) => (unhandled = error));

// The error that this payment raises, under a name that is the same for the same cause; `undefined` for none.
async function raised(payment) {
  const method = typeof payment.payload === "object" && payment.payload && "permit2Authorization" in payment.payload ? " permit2" : "";
  for (const { name, library } of facilitators) {
    for (const call of ["verify", "settle"]) {
      const requirements = REQUIREMENTS[payment.x402Version] ?? REQUIREMENTS[2];
      let error;
      try {
        const answer = await library[call](structuredClone(payment), requirements);
        await new Promise(setImmediate);
        // A good payment settles like any other, which takes long.
        if (!unhandled && answer.isValid) break;
        if (!unhandled) continue;
        error = unhandled;
      } catch (thrown) {
        error = thrown;
      }
      const how = unhandled ? "unhandled rejection" : "throws";
      unhandled = undefined;
      const version = payment.x402Version === 1 ? `v1${method}` : `v2${method}`;
      return { how, facilitator: name, call, error: told(error), cause: `${version} ${how} ${call} ${cause(error)}` };
    }
  }
}

function told(error) {
  return String(error?.message ?? error).split("\n")[0].slice(0, 200);
}

// The kind of error without the values in it, and the library's function that it came through.
function cause(error) {
  const value = /0x[0-9a-fA-F]*|-?[0-9][0-9.e+]*n?|"[^"]*"|(?<=version: ).*|(?<=Cannot convert ).*(?= to a BigInt)|(?<= in ).+$/gs;
  const text = told(error).replace(value, "_");
  const frames = String(error?.stack).match(/at (?:async )?([\w$.#]+) /g) ?? [];
  const own = frames.map((frame) => frame.trim().split(" ").at(-1)).find((name) => OWN.test(name));
  return `${text.slice(0, 60)} @ ${own ?? "?"}`;
}

const OWN = /6492|[vV]erify|[sS]ettle|[pP]ermit|[sS]imulat|classify|[aA]pproval/;

const checks = spawn(localChecks, { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: checks.stdout })[Symbol.asyncIterator]();
async function isForwarded(payment) {
  checks.stdin.write(`${JSON.stringify(payment)}\n`);
  return (await lines.next()).value === "forwarded";
}

// Every payment that is this one with something taken away or made shorter.
function* smaller(value) {
  if (typeof value === "string" && value.length > 2) {
    if (value.length > 200) yield value.slice(0, 4) + value.slice(4 + 2 * Math.floor(value.length / 4));
    const [head, tail] = [value.slice(0, 2), value.slice(2)];
    if (/^0x/.test(value) && /[^0]/.test(tail)) yield head + tail.replace(/^(0*)[^0]+/, (run) => "0".repeat(run.length));
    if (/^0x/.test(value) && tail.length > 4) yield head + tail.slice(2);
  }
  if (value === null || typeof value !== "object") return;
  for (const key of Object.keys(value)) {
    const without = structuredClone(value);
    if (Array.isArray(without)) without.splice(Number(key), 1);
    else delete without[key];
    yield without;
  }
  for (const key of Object.keys(value)) {
    for (const less of smaller(value[key])) {
      const changed = structuredClone(value);
      changed[key] = less;
      yield changed;
    }
  }
}

async function minimal(payment, { cause, forwarded }) {
  for (let again = true; again; ) {
    again = false;
    for (const less of smaller(payment)) {
      if ((await raised(less))?.cause === cause && (await isForwarded(less)) === forwarded) {
        payment = less;
        again = true;
        break;
      }
    }
  }
  return payment;
}

const mutator = new Mutator(Number(seed));
const found = new Map();
const until = Date.now() + Number(seconds) * 1000;
let tried = 0;
while (Date.now() < until) {
  // Through JSON, as it comes over the wire.
  const payment = JSON.parse(JSON.stringify(await mutator.payment()));
  tried++;
  const first = await raised(payment);
  if (!first) continue;
  const known = found.get(first.cause);
  if (known?.forwarded || (known && !(await isForwarded(payment)))) continue;
  const forwarded = await isForwarded(payment);
  found.set(first.cause, { ...first, forwarded, payment });
  console.error(`${tried}: ${forwarded ? "FORWARDED" : "refused"}  ${first.cause}`);
}
mkdirSync(folder, { recursive: true });
const index = [];
for (const one of [...found.values()].sort((a, b) => b.forwarded - a.forwarded || (a.cause < b.cause ? -1 : 1))) {
  const payment = await minimal(one.payment, one);
  const slug = one.cause.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 90);
  const file = `${one.forwarded ? "forwarded" : "refused"}-${slug}.json`;
  writeFileSync(join(folder, file), `${JSON.stringify(payment, null, 1)}\n`);
  index.push({ file, how: one.how, facilitator: one.facilitator, call: one.call, error: one.error });
}
console.log(JSON.stringify({ tried, found: index }, null, 1));
checks.stdin.end();
process.exit(0);
