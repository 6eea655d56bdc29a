// The contracts on the chain of paper: one token with EIP-3009, the x402 proxy in front of Permit2, a multicall, and the
// smart accounts that somebody placed there. A call is judged as the real contract judges it, in its own words, since the
// library reads reasons out of them.
import {
  decodeFunctionData,
  encodeAbiParameters,
  encodeFunctionData,
  encodeFunctionResult,
  hashTypedData,
  numberToHex,
  parseAbi,
  recoverAddress,
  serializeSignature,
  stringToHex,
  toFunctionSelector,
} from "viem";
import {
  PERMIT2_ADDRESS,
  authorizationTypes,
  eip3009ABI,
  permit2WitnessTypes,
  x402ExactPermit2ProxyABI,
  x402ExactPermit2ProxyAddress,
} from "@x402/evm";

const PERMIT2 = PERMIT2_ADDRESS.toLowerCase();
const PROXY = x402ExactPermit2ProxyAddress.toLowerCase();
const MULTICALL = "0xca11bde05977b3631167028862be2a173976ca11";

const TOKEN_ABI = [...eip3009ABI, ...parseAbi(["function allowance(address owner, address spender) view returns (uint256)"])];
const MULTICALL_ABI = parseAbi([
  "function tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls) payable returns ((bool success, bytes returnData)[])",
]);
const ACCOUNT_ABI = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
const VALID_SIGNATURE = "0x1626ba7e";
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const AUTHORIZATION_USED_TOPIC = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

// Half the order of secp256k1.
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

// Any code will do: nobody runs it.
const SOME_CODE = "0x60806040";

// A call that the chain undoes, with the reason that the contract gives. `custom` is a selector, for errors without text.
export class Reverted extends Error {
  constructor(reason, custom) {
    super(reason);
    const text = () => `0x08c379a0${encodeAbiParameters([{ type: "string" }], [reason]).slice(2)}`;
    this.data = custom ?? text();
  }
}

export class Contracts {
  #ledger;
  #asset;
  #domain;

  // `count` is told the name of every function that is called.
  constructor(ledger, { asset, name, version, chainId }, count) {
    this.#ledger = ledger;
    this.#asset = asset.toLowerCase();
    this.#domain = { name, version, chainId, verifyingContract: asset };
    this.count = count;
  }

  codeAt(address) {
    const account = address.toLowerCase();
    const known = [this.#asset, PERMIT2, PROXY, MULTICALL].includes(account) || this.#ledger.codeOf(account);
    return known ? SOME_CODE : "0x";
  }

  // The result of a call, and the effect that it would have: `commit(transaction, sender)` applies it and returns its logs.
  async call(to, data) {
    switch (to.toLowerCase()) {
      case this.#asset:
        return this.#token(data);
      case PROXY:
        return this.#proxy(data);
      case MULTICALL:
        return this.#multicall(data);
      default:
        return this.#account(to.toLowerCase(), data);
    }
  }

  async #token(data) {
    const { functionName, args } = this.#decode(TOKEN_ABI, data);
    const answer = (result) => ({ data: encodeFunctionResult({ abi: TOKEN_ABI, functionName, result }) });
    switch (functionName) {
      case "balanceOf":
        return answer(this.#ledger.balanceOf(args[0].toLowerCase()));
      case "allowance":
        return answer(args[1].toLowerCase() === PERMIT2 ? this.#ledger.allowanceOf(args[0].toLowerCase()) : 0n);
      case "authorizationState":
        return answer(this.#ledger.isSpent(this.#asset, args[0].toLowerCase(), args[1].toLowerCase()));
      case "name":
        return answer(this.#domain.name);
      case "version":
        return answer(this.#domain.version);
      case "transferWithAuthorization":
        return this.#transferWithAuthorization(args);
    }
  }

  // In the order of FiatTokenV2_2, and with its reasons.
  async #transferWithAuthorization([from, to, value, validAfter, validBefore, nonce, ...signature]) {
    if (now() <= validAfter) throw new Reverted("FiatTokenV2: authorization is not yet valid");
    if (now() >= validBefore) throw new Reverted("FiatTokenV2: authorization is expired");
    const digest = hashTypedData({
      domain: this.#domain,
      types: authorizationTypes,
      primaryType: "TransferWithAuthorization",
      message: { from, to, value, validAfter, validBefore, nonce },
    });
    const signed = signature.length === 3 ? joined(...signature) : signature[0];
    if (!(await this.#isSigned(from, digest, signed))) throw new Reverted("FiatTokenV2: invalid signature");
    return this.#movable({ by: this.#asset, from, to, value, nonce }, "FiatTokenV2: authorization is used or canceled");
  }

  async #proxy(data) {
    const abi = x402ExactPermit2ProxyABI;
    const { functionName, args } = this.#decode(abi, data);
    if (functionName === "PERMIT2") return { data: encodeFunctionResult({ abi, functionName, result: PERMIT2_ADDRESS }) };
    // A permit beside a permit: nothing here sells under it.
    if (functionName !== "settle") throw new Reverted(`the chain of paper has no ${functionName}`);
    const [permit, owner, witness, signature] = args;
    const { permitted, nonce, deadline } = permit;
    if (now() < witness.validAfter) throw new Reverted("PaymentTooEarly", selector("PaymentTooEarly()"));
    if (now() > deadline) throw new Reverted("SignatureExpired", selector("SignatureExpired(uint256)"));
    const digest = hashTypedData({
      domain: { name: "Permit2", chainId: this.#domain.chainId, verifyingContract: PERMIT2_ADDRESS },
      types: permit2WitnessTypes,
      primaryType: "PermitWitnessTransferFrom",
      message: { permitted, spender: x402ExactPermit2ProxyAddress, nonce, deadline, witness },
    });
    if (!(await this.#isSigned(owner, digest, signature))) {
      throw new Reverted("InvalidSigner", selector("InvalidSigner()"));
    }
    if (permitted.token.toLowerCase() !== this.#asset) throw new Reverted("TRANSFER_FROM_FAILED");
    const move = { by: PERMIT2, from: owner, to: witness.to, value: permitted.amount, nonce: numberToHex(nonce, { size: 32 }) };
    const movable = this.#movable(move, "InvalidNonce", selector("InvalidNonce()"));
    const left = this.#ledger.allowanceOf(owner.toLowerCase()) - permitted.amount;
    if (left < 0n) throw new Reverted("TRANSFER_FROM_FAILED");
    const commit = (transaction, sender) => {
      this.#ledger.setAllowance(owner.toLowerCase(), left);
      return movable.commit(transaction, sender);
    };
    return { ...movable, commit };
  }

  async #multicall(data) {
    const { args } = this.#decode(MULTICALL_ABI, data);
    const results = [];
    for (const { target, callData } of args[1]) {
      try {
        results.push({ success: true, returnData: (await this.call(target, callData)).data });
      } catch (error) {
        if (!(error instanceof Reverted)) throw error;
        results.push({ success: false, returnData: error.data });
      }
    }
    return { data: encodeFunctionResult({ abi: MULTICALL_ABI, functionName: "tryAggregate", result: results }) };
  }

  // A smart account answers as its code says; to a call of an address without code every node answers with nothing.
  async #account(account, data) {
    const code = this.#ledger.codeOf(account);
    if (!code) return { data: "0x" };
    this.#decode(ACCOUNT_ABI, data);
    const [does, ms] = code.split(":");
    if (does === "slow") await new Promise((done) => setTimeout(done, Number(ms)));
    if (does === "reverts") throw new Reverted("the account does not like it");
    if (does === "garbage") return { data: stringToHex("garbage") };
    const word = does === "accepts" ? VALID_SIGNATURE : "0xffffffff";
    return { data: encodeAbiParameters([{ type: "bytes4" }], [word]) };
  }

  async #isSigned(by, digest, signature) {
    if (this.codeAt(by) === "0x") {
      const recovered = hasLowS(signature) && (await recoverAddress({ hash: digest, signature }).catch(() => undefined));
      return Boolean(recovered) && recovered.toLowerCase() === by.toLowerCase();
    }
    const { data } = await this.#account(by.toLowerCase(), encodeCheck(digest, signature));
    return data.startsWith(VALID_SIGNATURE);
  }

  #movable({ by, from, to, value, nonce }, whenSpent, selectorWhenSpent) {
    const move = { by, from: from.toLowerCase(), to: to.toLowerCase(), value, nonce: nonce.toLowerCase() };
    if (this.#ledger.isSpent(by, move.from, move.nonce)) throw new Reverted(whenSpent, selectorWhenSpent);
    if (this.#ledger.balanceOf(move.from) < value) throw new Reverted("ERC20: transfer amount exceeds balance");
    const commit = (transaction, sender) => {
      this.#ledger.move({ ...move, transaction, sender });
      const moved = { address: this.#asset, topics: [TRANSFER_TOPIC, word(from), word(to)], data: numberToHex(value, { size: 32 }) };
      const used = { address: this.#asset, topics: [AUTHORIZATION_USED_TOPIC, word(from), nonce], data: "0x" };
      return by === this.#asset ? [used, moved] : [moved];
    };
    return { data: "0x", commit };
  }

  #decode(abi, data) {
    let call;
    try {
      call = decodeFunctionData({ abi, data });
    } catch {
      throw new Reverted("no such function");
    }
    this.count(call.functionName);
    return call;
  }
}

function now() {
  return BigInt(Math.floor(Date.now() / 1000));
}

function word(address) {
  return `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;
}

function selector(signature) {
  return toFunctionSelector(`function ${signature}`);
}

// With a recovery byte that nobody has it is a signature of nobody.
function joined(v, r, s) {
  return [0, 1, 27, 28].includes(v) ? serializeSignature({ r, s, yParity: v % 27 }) : "0x";
}

// Contracts refuse the other root of a signature, which everybody could make of the first.
function hasLowS(signature) {
  return signature.length === 132 && BigInt(`0x${signature.slice(66, 130)}`) <= HALF_ORDER;
}

function encodeCheck(hash, signature) {
  return encodeFunctionData({ abi: ACCOUNT_ABI, functionName: "isValidSignature", args: [hash, signature] });
}
