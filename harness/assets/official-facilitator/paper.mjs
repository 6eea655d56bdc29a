// The whole of it without a socket: ledger, contracts, node and the facilitators on them, and a count of what was asked.
import { Contracts } from "./contracts.mjs";
import { facilitator } from "./facilitator.mjs";
import { Ledger } from "./ledger.mjs";
import { PaperNode } from "./node.mjs";

export function paper(options) {
  const calls = {};
  const count = (name) => (calls[name] = (calls[name] ?? 0) + 1);
  const ledger = new Ledger(options.allowance);
  for (const [account, code] of options.codes) ledger.setCode(account, code);
  const node = new PaperNode(new Contracts(ledger, options, count), options, count);
  const facilitators = options.facilitators.map((name) => facilitator(name, node, options));
  return { ledger, calls, count, facilitators };
}
