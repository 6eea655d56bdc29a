// The command line of the server, into checked options.
import { parseArgs } from "node:util";
import { isAddress } from "viem";

const CODES = /^(accepts|refuses|reverts|garbage|slow:[0-9]{1,5})$/;

export function read(args) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "0" },
      // Of base Sepolia, unless said otherwise.
      chain: { type: "string", default: "84532" },
      asset: { type: "string", default: "0x036CbD53842c5426634e7929541eC2318f3dCF7e" },
      name: { type: "string", default: "USDC" },
      version: { type: "string", default: "2" },
      // One facilitator each, all on the one chain. The first also answers without its name in the path.
      facilitator: { type: "string", multiple: true, default: ["official"] },
      // From a transaction's sending to its receipt, and what the library waits for that.
      "receipt-ms": { type: "string", default: "0" },
      "confirm-ms": { type: "string", default: "180000" },
      // What everybody has allowed Permit2, as people do once and for ever.
      allowance: { type: "string", default: "1000000000000000" },
      // ADDRESS=accepts, refuses, reverts, garbage or slow:MILLISECONDS (and then refuses).
      code: { type: "string", multiple: true, default: [] },
    },
  });
  return {
    port: number(values.port, "port"),
    chainId: number(values.chain, "chain"),
    asset: address(values.asset),
    name: values.name,
    version: values.version,
    facilitators: values.facilitator,
    receiptMs: number(values["receipt-ms"], "receipt-ms"),
    confirmMs: number(values["confirm-ms"], "confirm-ms"),
    allowance: amount(values.allowance),
    codes: values.code.map((text) => {
      const [account, does] = text.split("=");
      return [address(account), code(does)];
    }),
  };
}

export function address(text) {
  if (!isAddress(text, { strict: false })) throw new Error(`${text} is no address`);
  return text.toLowerCase();
}

export function amount(text) {
  if (!/^[0-9]{1,78}$/.test(text)) throw new Error(`${text} is no amount in atomic units`);
  return BigInt(text);
}

export function code(text) {
  if (!CODES.test(text)) throw new Error(`${text} is no code: accepts, refuses, reverts, garbage or slow:MILLISECONDS`);
  return text;
}

function number(text, name) {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} ${text} is no whole number`);
  return Number(text);
}
