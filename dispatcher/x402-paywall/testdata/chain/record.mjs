// Records what a real EVM node (anvil) answers about one settled, one cancelled and one never used EIP-3009
// authorization of Token.sol, in the order and form in which `chain.rs` asks. Writes recorded.json.
// npm install @foundry-rs/anvil-linux-amd64@1.7.1 solc@0.8.37 viem@2.57.1 && node record.mjs
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import solc from "solc";
import { createWalletClient, createPublicClient, http, parseSignature, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { baseSepolia } from "viem/chains";

const port = 8599;
const anvil = spawn("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil", ["--chain-id", "84532", "--port", port, "--silent", "--slots-in-an-epoch", "1", "--timestamp", "1800000000"], { stdio: "inherit" });
try {
  const url = `http://127.0.0.1:${port}`;
  const rpc = async (method, params) => {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
    return response.json();
  };
  for (let tries = 0; ; tries += 1) {
    try { await rpc("eth_chainId", []); break; } catch (error) { if (tries > 50) throw error; await new Promise((r) => setTimeout(r, 100)); }
  }
  const source = { language: "Solidity", sources: { "Token.sol": { content: readFileSync("Token.sol", "utf8") } }, settings: { outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } } };
  const compiled = JSON.parse(solc.compile(JSON.stringify(source)));
  for (const error of compiled.errors ?? []) if (error.severity === "error") throw new Error(error.formattedMessage);
  const { abi, evm } = compiled.contracts["Token.sol"].Token;
  const payer = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
  const facilitator = privateKeyToAccount("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
  const chain = baseSepolia;
  const wallet = createWalletClient({ account: facilitator, chain, transport: http(url) });
  const reader = createPublicClient({ chain, transport: http(url), pollingInterval: 50 });
  const deployed = await reader.waitForTransactionReceipt({ hash: await wallet.deployContract({ abi, bytecode: `0x${evm.bytecode.object}` }) });
  const token = deployed.contractAddress;
  const write = async (functionName, args) => reader.waitForTransactionReceipt({ hash: await wallet.writeContract({ address: token, abi, functionName, args }) });
  const to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
  const domain = { name: "USDC", version: "2", chainId: 84532, verifyingContract: token };
  const window = { validAfter: 0n, validBefore: 1800000300n };
  const nonces = { used: keccak256(toHex("used")), cancelled: keccak256(toHex("cancelled")), unused: keccak256(toHex("unused")) };
  await write("mint", [payer.address, 1_000_000n]);

  const transfer = { from: payer.address, to, value: 10_000n, ...window, nonce: nonces.used };
  const field = (name, type) => ({ name, type });
  const signed = await payer.signTypedData({ domain, primaryType: "TransferWithAuthorization", message: transfer, types: { TransferWithAuthorization: [field("from", "address"), field("to", "address"), field("value", "uint256"), field("validAfter", "uint256"), field("validBefore", "uint256"), field("nonce", "bytes32")] } });
  const { r, s, v } = parseSignature(signed);
  const settled = await write("transferWithAuthorization", [...Object.values(transfer), Number(v), r, s]);

  const cancel = { authorizer: payer.address, nonce: nonces.cancelled };
  const revoked = parseSignature(await payer.signTypedData({ domain, primaryType: "CancelAuthorization", message: cancel, types: { CancelAuthorization: [field("authorizer", "address"), field("nonce", "bytes32")] } }));
  await write("cancelAuthorization", [...Object.values(cancel), Number(revoked.v), revoked.r, revoked.s]);

  const pad = (address) => `0x${address.slice(2).toLowerCase().padStart(64, "0")}`;
  const used = keccak256(toHex("AuthorizationUsed(address,bytes32)"));
  const canceled = keccak256(toHex("AuthorizationCanceled(address,bytes32)"));
  const state = (nonce) => ({ to: token.toLowerCase(), data: `${keccak256(toHex("authorizationState(address,bytes32)")).slice(0, 10)}${pad(payer.address).slice(2)}${nonce.slice(2)}` });
  const logs = (nonce) => ({ address: token.toLowerCase(), topics: [[used, canceled], pad(payer.address), nonce], fromBlock: "0x0", toBlock: "latest" });
  const recorded = [];
  const record = async (method, params) => {
    const answer = await rpc(method, params);
    recorded.push({ method, params, answer });
    return answer.result;
  };
  await record("eth_chainId", []);
  await record("eth_call", [state(nonces.unused), "latest"]);
  const early = await record("eth_getBlockByNumber", ["finalized", false]);
  const world = { token, from: payer.address, to, transaction: settled.transactionHash, ...nonces, finalized_before: early.timestamp };
  for (const nonce of [nonces.used, nonces.cancelled]) {
    await record("eth_call", [state(nonce), "latest"]);
    await record("eth_getLogs", [logs(nonce)]);
  }
  await record("eth_getTransactionReceipt", [settled.transactionHash]);
  await record("eth_blockNumber", []);
  // The window passes, and blocks become final.
  await rpc("evm_setNextBlockTimestamp", [1800000400]);
  for (let n = 0; n < 4; n += 1) await rpc("evm_mine", []);
  const final = await record("eth_getBlockByNumber", ["finalized", false]);
  await record("eth_call", [state(nonces.unused), final.number]);
  writeFileSync("recorded.json", `${JSON.stringify({ world, recorded }, null, 1)}\n`);
  console.log(world, recorded.length, JSON.stringify(recorded).length);
} finally {
  anvil.kill();
}
