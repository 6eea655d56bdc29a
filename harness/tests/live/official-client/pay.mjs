// Pays the URL in argv once with the official client, and prints what came back as one JSON object.
import { ExactEvmScheme } from "@x402/evm";
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { privateKeyToAccount } from "viem/accounts";

// A well-known test key: the doubles' chain gives everybody an ample balance.
const account = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
const pay = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [{ network: "eip155:*", client: new ExactEvmScheme(account) }],
});

const response = await pay(process.argv[2]);
const receipt = response.headers.get("PAYMENT-RESPONSE");
console.log(
  JSON.stringify({
    status: response.status,
    payer: account.address,
    receipt: receipt && decodePaymentResponseHeader(receipt),
    body: await response.text(),
  }),
);
