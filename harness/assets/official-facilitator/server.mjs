// A facilitator that nobody here wrote, as an HTTP server: the official library on a chain of paper. Its shell answers as the
// library's own example does, 500 with the error's text where the library throws: that is what it is here for.
//
//   node server.mjs --port 0 --facilitator primary --receipt-ms 200 --code 0x...=slow:6000
//
// GET /__chain tells what moved (?from=N: from the N-th transfer on) and what was called; POST /__chain sets balances,
// allowances and codes by address.
import { createServer } from "node:http";
import { address, amount, code, read } from "./options.mjs";
import { paper } from "./paper.mjs";

// As much as the example's JSON reader takes.
const MAX_BODY_BYTES = 100 * 1024;
// Specimens of what the library threw: enough to look into, few enough to print.
const MOST_THROWN = 50;

const options = read(process.argv.slice(2));
const { ledger, calls, count, facilitators } = paper(options);
const thrown = [];

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url, "http://paper");
  const parts = pathname.split("/").filter(Boolean);
  if (parts[0] === "__chain") return chain(request, searchParams);
  const named = facilitators.find(({ name }) => parts.length === 2 && name === parts[0]);
  const { library } = named ?? facilitators[0];
  const route = `${request.method} ${named || parts.length === 1 ? parts.at(-1) : pathname}`;
  switch (route) {
    case "GET supported":
      count("GET /supported");
      return [200, library.getSupported()];
    case "POST verify":
      return judged(request, "verify", library);
    case "POST settle":
      return judged(request, "settle", library);
    default:
      return [404, { error: "no such endpoint" }];
  }
}

async function judged(request, call, library) {
  count(`POST /${call}`);
  const body = await json(request);
  if (body === undefined) return [400, { error: "the body is no JSON" }];
  const { paymentPayload, paymentRequirements } = body ?? {};
  if (!paymentPayload || !paymentRequirements) return [400, { error: "Missing paymentPayload or paymentRequirements" }];
  try {
    return [200, await library[call](paymentPayload, paymentRequirements)];
  } catch (error) {
    count(`/${call} threw`);
    const text = error instanceof Error ? error.message : "Unknown error";
    if (thrown.length < MOST_THROWN) thrown.push({ call, error: text, paymentPayload });
    return [500, { error: text }];
  }
}

async function chain(request, searchParams) {
  if (request.method === "POST") {
    const { balances = {}, allowances = {}, codes = {} } = (await json(request)) ?? {};
    try {
      for (const [account, text] of Object.entries(balances)) ledger.setBalance(address(account), amount(text));
      for (const [account, text] of Object.entries(allowances)) ledger.setAllowance(address(account), amount(text));
      for (const [account, text] of Object.entries(codes)) ledger.setCode(address(account), code(text));
    } catch (error) {
      return [400, { error: error.message }];
    }
  }
  const from = Number(searchParams.get("from") ?? 0);
  const named = ({ sender, ...moved }) => {
    const by = facilitators.find(({ account }) => account === sender);
    return { ...moved, facilitator: by?.name ?? sender };
  };
  const memory = process.memoryUsage.rss();
  return [200, { network: `eip155:${options.chainId}`, asset: options.asset, transfers: ledger.transfers.slice(from).map(named), calls, thrown, memory }];
}

// `undefined` for what is no JSON, or too much of it.
async function json(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request);
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(text) });
  response.end(text);
});
// Whoever keeps a connection may use it at any time: one that is closed under a request would look like a fault.
server.keepAliveTimeout = 0;
server.listen(options.port, "127.0.0.1", () => console.log(`ready ${server.address().port}`));
