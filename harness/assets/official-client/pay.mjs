// Pays the URL in argv once with the official client and a key of its own, and prints what came back as one JSON object.
import { ExactEvmScheme } from "@x402/evm";
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

const account = privateKeyToAccount(generatePrivateKey());
const pay = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [{ network: "eip155:*", client: new ExactEvmScheme(account) }],
});

const began = performance.now();
const response = await pay(process.argv[2]);
const body = await response.text();
const receipt = response.headers.get("PAYMENT-RESPONSE");
console.log(
  JSON.stringify({
    status: response.status,
    payer: account.address,
    receipt: receipt && decodePaymentResponseHeader(receipt),
    requestId: response.headers.get("x-request-id"),
    retryAfter: response.headers.get("retry-after"),
    body,
    ms: Math.round(performance.now() - began),
  }),
);
