// The official library's facilitator, wired as its own example wires it: a viem client, and one scheme of either version.
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import { createWalletClient, custom, defineChain, publicActions, stringToHex, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";

// How often viem asks for a receipt that is not there yet.
const POLLING_MS = 25;

// `name` decides the facilitator's own account, which pays for gas and holds nothing.
export function facilitator(name, node, { chainId, confirmMs }) {
  const account = privateKeyToAccount(keccak256(stringToHex(`facilitator ${name}`)));
  const currency = { name: "Ether", symbol: "ETH", decimals: 18 };
  const chain = defineChain({ id: chainId, name: "paper", nativeCurrency: currency, rpcUrls: { default: { http: [] } } });
  const transport = custom({ request: (asked) => node.request(asked) }, { retryCount: 0 });
  const options = { account, chain, transport, pollingInterval: POLLING_MS, cacheTime: 0 };
  const client = createWalletClient(options).extend(publicActions);
  const signer = toFacilitatorEvmSigner(
    {
      address: account.address,
      getCode: (args) => client.getCode(args),
      readContract: (args) => client.readContract({ ...args, args: args.args ?? [] }),
      verifyTypedData: (args) => client.verifyTypedData(args),
      writeContract: (args) => client.writeContract({ ...args, args: args.args ?? [] }),
      sendTransaction: (args) => client.sendTransaction(args),
      waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
    },
    { confirmationTimeoutMs: confirmMs },
  );
  const library = registerExactEvmScheme(new x402Facilitator(), { signer, networks: `eip155:${chainId}` });
  return { name, account: account.address.toLowerCase(), library };
}
