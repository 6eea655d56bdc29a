// Payments that are wrong in structured ways: good ones of every kind, and small changes to them, drawn from a seed.
import { PERMIT2_ADDRESS, authorizationTypes, permit2WitnessTypes, x402ExactPermit2ProxyAddress } from "@x402/evm";
import { encodeAbiParameters, numberToHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

export const ASSET = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const PAY_TO = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
const USDC = { name: "USDC", version: "2" };
// A well-known test key: whoever looks at a payment of it can sign another.
const ACCOUNT = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
// Smart accounts, by what their code does.
export const CODES = {
  "0x1111111111111111111111111111111111111111": "accepts",
  "0x2222222222222222222222222222222222222222": "refuses",
  "0x3333333333333333333333333333333333333333": "reverts",
  "0x4444444444444444444444444444444444444444": "garbage",
};
const PAYERS = [ACCOUNT.address, ACCOUNT.address.toLowerCase(), "0x5555555555555555555555555555555555555555", ...Object.keys(CODES)];
const MAGIC = "6492".repeat(16);
const ZERO = "0x0000000000000000000000000000000000000000";
const VALUES = [
  null, true, false, 0, 1, -1, 1.5, 1e21, "", "0", "1", "-1", "x", "0x", "0x00", "10000", ZERO, PAY_TO, ASSET, [], {}, [null],
  [PAY_TO], ["1"], { x: 1 }, (2n ** 256n - 1n).toString(), (2n ** 256n).toString(), "1e3", "\u0000", "\ud800", "9".repeat(400),
];
const MEMBERS = [
  "permit2Authorization", "authorization", "signature", "extensions", "type", "deposit", "voucher", "witness", "permitted", "extra",
  "eip2612GasSponsoring", "erc20ApprovalGasSponsoring", "builder-code", "bazaar", "info", "toString", "valueOf", "toJSON",
  "__proto__", "constructor", "length", "accepted", "payload", "resource", "scheme", "network", "from", "then",
];

// What every payment is for, as the dispatcher asks it in either version.
export const REQUIREMENTS = {
  1: {
    scheme: "exact", network: "base-sepolia", maxAmountRequired: "10000", asset: ASSET, payTo: PAY_TO, maxTimeoutSeconds: 60,
    resource: "http://x", description: "", mimeType: "", extra: USDC,
  },
  2: { scheme: "exact", network: "eip155:84532", amount: "10000", asset: ASSET, payTo: PAY_TO, maxTimeoutSeconds: 60, extra: USDC },
};

export class Mutator {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  // A payment that may throw: a good one, one to three changes, and sometimes a signature over what came of them.
  async payment() {
    const payment = await this.#good();
    for (let left = 1 + this.#below(3); left > 0; left--) {
      const change = this.#one([
        () => this.#anywhere(payment), () => this.#member(payment), () => this.#member(payment), () => this.#signature(payment),
        () => this.#signature(payment), () => this.#extension(payment), () => this.#extension(payment), () => this.#payer(payment),
      ]);
      change();
    }
    if (this.#below(3) === 0) await sign(payment);
    return payment;
  }

  async #good() {
    const nonce = `0x${this.#hex(32)}`;
    const kind = this.#below(4);
    const inWindow = { validAfter: "0", validBefore: "99999999999" };
    const payload =
      kind % 2 === 1
        ? {
            signature: "0x",
            permit2Authorization: {
              from: ACCOUNT.address, permitted: { token: ASSET, amount: "10000" }, spender: x402ExactPermit2ProxyAddress,
              nonce: BigInt(nonce).toString(), deadline: "99999999999", witness: { to: PAY_TO, validAfter: "0" },
            },
          }
        : { signature: "0x", authorization: { from: ACCOUNT.address, to: PAY_TO, value: "10000", ...inWindow, nonce } };
    const payment =
      kind > 1
        ? { x402Version: 1, scheme: "exact", network: "base-sepolia", payload }
        : { x402Version: 2, accepted: structuredClone(REQUIREMENTS[2]), payload };
    await sign(payment);
    return payment;
  }

  // Sets, takes away, wraps or renames something that is there.
  #anywhere(payment) {
    const places = [];
    const walk = (value) => {
      if (value === null || typeof value !== "object") return;
      for (const key of Object.keys(value)) {
        places.push([value, key]);
        walk(value[key]);
      }
    };
    walk(payment);
    const [parent, key] = this.#one(places);
    const value = parent[key];
    switch (this.#below(6)) {
      case 0:
        delete parent[key];
        break;
      case 1:
        parent[key] = [value];
        break;
      case 2:
        parent[key] = { [key]: value };
        break;
      case 3:
        put(parent, this.#one([key.toUpperCase(), this.#one(MEMBERS)]), value);
        break;
      default:
        parent[key] = structuredClone(this.#one(VALUES));
    }
  }

  // Adds a member that some reader knows.
  #member(payment) {
    const at = this.#one([payment, payment.payload, payment.payload, payment.payload?.authorization, payment.accepted]);
    const name = this.#below(2) === 0 ? this.#one(["permit2Authorization", "authorization"]) : this.#one(MEMBERS);
    if (at !== null && typeof at === "object" && !(name in at)) put(at, name, structuredClone(this.#one([null, ...VALUES])));
  }

  #payer({ payload }) {
    const signed = payload?.authorization ?? payload?.permit2Authorization;
    if (signed !== null && typeof signed === "object") signed.from = this.#one(PAYERS);
  }

  // Longer than an account's, so that only a chain can judge it; half of them end as ERC-6492 does.
  #signature({ payload }) {
    if (payload === null || typeof payload !== "object") return;
    const inner = this.#one(["0x", `0x${this.#hex(65)}`, `0x${this.#hex(66)}`, `0x${this.#hex(34)}${MAGIC}`]);
    const factory = this.#one([ZERO, PAY_TO, "0x1111111111111111111111111111111111111111"]);
    const call = this.#one(["0x", "0x12", `0x${this.#hex(36)}`]);
    const envelope = encodeAbiParameters([{ type: "address" }, { type: "bytes" }, { type: "bytes" }], [factory, call, inner]);
    const words = envelope.slice(2).match(/.{64}/g);
    // Offsets, lengths and the address, each replaced by what a decoder may stumble on.
    words[this.#below(words.length)] = this.#one([
      "0".repeat(64), "f".repeat(64), this.#hex(32), word(1), word(31), word(32), word(0x60), word(64 * 1024), word(2 ** 31), word(2 ** 53), MAGIC,
    ]);
    const broken = words.join("").slice(0, 2 * (32 + this.#below(words.length * 32)));
    payload.signature = this.#one([
      `0x${this.#hex(66)}`, `${envelope}${MAGIC}`, `0x${words.join("")}${MAGIC}`, `0x${broken}${MAGIC}`, `0x${this.#hex(34)}${MAGIC}`,
      `0x${"00".repeat(34)}${MAGIC}`, `0x${this.#hex(this.#below(300))}${MAGIC}`, `0x${MAGIC}${MAGIC}${MAGIC}`, `0x${this.#hex(4000)}${MAGIC}`,
      `0x${this.#hex(this.#below(200))}`, `0x${"ab".repeat(4096)}`,
    ]);
  }

  // What official clients add for whoever pays no gas, and then a change to it.
  #extension(payment) {
    const info = { from: ACCOUNT.address, asset: ASSET, spender: PERMIT2_ADDRESS, amount: "10000", version: "1" };
    const permit = { ...info, nonce: "0", deadline: "99999999999", signature: `0x${this.#hex(65)}` };
    const approval = { ...info, signedTransaction: `0x02${this.#hex(100)}` };
    const extension = this.#one([permit, approval]);
    const key = extension === permit ? "eip2612GasSponsoring" : "erc20ApprovalGasSponsoring";
    if (this.#below(4) > 0) {
      const field = this.#one(Object.keys(extension));
      extension[field] = this.#one([[extension[field]], [[extension[field]]], structuredClone(this.#one(VALUES)), { toString: 1 }]);
    }
    payment.extensions = { [key]: { info: extension } };
  }

  #hex(bytes) {
    return Array.from({ length: bytes }, () => this.#below(256).toString(16).padStart(2, "0")).join("");
  }

  #one(list) {
    return list[this.#below(list.length)];
  }

  // mulberry32: the same payments from the same seed.
  #below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

// An own member whatever its name is, as JSON makes it.
function put(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function word(number) {
  return numberToHex(number, { size: 32 }).slice(2);
}

// Signs what stands there, where that can be signed at all.
async function sign(payment) {
  const { authorization, permit2Authorization } = payment.payload ?? {};
  const terms = authorization
    ? { domain: { ...USDC, chainId: 84532, verifyingContract: ASSET }, types: authorizationTypes, primaryType: "TransferWithAuthorization", message: authorization }
    : { domain: { name: "Permit2", chainId: 84532, verifyingContract: PERMIT2_ADDRESS }, types: permit2WitnessTypes, primaryType: "PermitWitnessTransferFrom", message: permit2Authorization };
  try {
    payment.payload.signature = await ACCOUNT.signTypedData(terms);
  } catch {
    // What cannot be signed keeps what it has.
  }
}
