// A node of the chain of paper: it answers the JSON-RPC that viem sends, so that the library's calls are encoded and its
// answers decoded by the code that runs in production. Surprising: account nonces are not checked. A facilitator that sends
// two transactions at once is common, and what becomes of its nonces is not what is tried here.
import { MethodNotFoundRpcError, RpcRequestError, keccak256, numberToHex, parseTransaction, recoverTransactionAddress } from "viem";
import { Reverted } from "./contracts.mjs";

const GAS = numberToHex(100_000);
const GAS_PRICE = numberToHex(1_000_000_000);
const REVERTED = 3;
const ZERO_HASH = `0x${"0".repeat(64)}`;
const EMPTY_BLOOM = `0x${"0".repeat(512)}`;

export class PaperNode {
  #contracts;
  #chainId;
  #receiptMs;
  #sent = new Map();
  #receipts = new Map();
  #block = 1;

  // A transaction is mined `receiptMs` after it was sent, and moves nothing before. `count` is told every method.
  constructor(contracts, { chainId, receiptMs }, count) {
    this.#contracts = contracts;
    this.#chainId = chainId;
    this.#receiptMs = receiptMs;
    this.count = count;
  }

  async request({ method, params }) {
    this.count(method);
    switch (method) {
      case "eth_chainId":
        return numberToHex(this.#chainId);
      case "eth_blockNumber":
        return numberToHex(this.#block);
      case "eth_getBlockByNumber":
        return this.#latestBlock();
      case "eth_getCode":
        return this.#contracts.codeAt(params[0]);
      case "eth_getTransactionCount":
        return numberToHex(this.#sent.size);
      case "eth_maxPriorityFeePerGas":
      case "eth_gasPrice":
        return GAS_PRICE;
      case "eth_call":
        return (await this.#try(method, params[0])).data;
      case "eth_estimateGas":
        await this.#try(method, params[0]);
        return GAS;
      case "eth_sendRawTransaction":
        return this.#send(params[0]);
      case "eth_getTransactionByHash":
        return this.#sent.get(params[0]) ?? null;
      case "eth_getTransactionReceipt":
        return this.#receipts.get(params[0]) ?? null;
      default:
        throw new MethodNotFoundRpcError(new Error(`the chain of paper has no ${method}`));
    }
  }

  // As it would end on the state that there is now.
  async #try(method, { to, data }) {
    try {
      return await this.#contracts.call(to, data ?? "0x");
    } catch (error) {
      if (!(error instanceof Reverted)) throw error;
      const told = { code: REVERTED, message: `execution reverted: ${error.message}`, data: error.data };
      throw new RpcRequestError({ body: { method }, error: told, url: "paper" });
    }
  }

  async #send(raw) {
    const { to, data, nonce } = parseTransaction(raw);
    const sender = (await recoverTransactionAddress({ serializedTransaction: raw })).toLowerCase();
    const transaction = keccak256(raw);
    const unmined = { blockHash: null, blockNumber: null, transactionIndex: null };
    const fixed = { gas: GAS, gasPrice: GAS_PRICE, value: "0x0", type: "0x2" };
    this.#sent.set(transaction, { ...unmined, ...fixed, hash: transaction, from: sender, to, input: data ?? "0x", nonce: numberToHex(nonce) });
    setTimeout(() => this.#mine(transaction, sender, to, data ?? "0x"), this.#receiptMs);
    return transaction;
  }

  async #mine(transaction, sender, to, data) {
    let logs = [];
    let status = "0x1";
    try {
      const { commit } = await this.#contracts.call(to, data);
      logs = commit?.(transaction, sender) ?? [];
    } catch (error) {
      if (!(error instanceof Reverted)) throw error;
      status = "0x0";
    }
    const blockNumber = numberToHex(++this.#block);
    const place = { blockHash: keccak256(blockNumber), blockNumber, transactionHash: transaction, transactionIndex: "0x0" };
    this.#receipts.set(transaction, {
      ...place,
      status,
      from: sender,
      to,
      type: "0x2",
      contractAddress: null,
      gasUsed: GAS,
      cumulativeGasUsed: GAS,
      effectiveGasPrice: GAS_PRICE,
      logsBloom: EMPTY_BLOOM,
      logs: logs.map((log, index) => ({ ...log, ...place, logIndex: numberToHex(index), removed: false })),
    });
  }

  #latestBlock() {
    const number = numberToHex(this.#block);
    return {
      number,
      hash: keccak256(number),
      parentHash: ZERO_HASH,
      timestamp: numberToHex(Math.floor(Date.now() / 1000)),
      baseFeePerGas: GAS_PRICE,
      gasLimit: GAS,
      gasUsed: "0x0",
      difficulty: "0x0",
      totalDifficulty: "0x0",
      size: "0x1",
      transactions: [],
    };
  }
}
