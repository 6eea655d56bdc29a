// Pays the URL in argv once with the version 1 client, and prints what came back as one JSON object.
import { createWalletClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { baseSepolia } from "viem/chains";
import { decodeXPaymentResponse, wrapFetchWithPayment } from "x402-fetch";

// A well-known test key: the doubles' chain gives everybody an ample balance. The transport is never used.
const account = privateKeyToAccount("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
const wallet = createWalletClient({ account, chain: baseSepolia, transport: http("http://127.0.0.1:9") });
const pay = wrapFetchWithPayment(fetch, wallet);

const response = await pay(process.argv[2]);
const receipt = response.headers.get("X-PAYMENT-RESPONSE");
console.log(
  JSON.stringify({
    status: response.status,
    payer: account.address,
    receipt: receipt && decodeXPaymentResponse(receipt),
    body: await response.text(),
  }),
);
