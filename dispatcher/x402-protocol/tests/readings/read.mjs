// Reads each line, a JSON string with a text in it, as a facilitator in JavaScript does, and says what payment it is.
import { readFileSync } from "node:fs";
const facts = (p, isQuestion) => {
  const from = (p, q) => {
    const isPermit = "permit2Authorization" in p.payload;
    const t = isPermit ? p.payload.permit2Authorization : p.payload.authorization;
    const [to, value, after, before] = isPermit
      ? [t.witness.to, t.permitted.amount, t.witness.validAfter, t.deadline]
      : [t.to, t.value, t.validAfter, t.validBefore];
    const a = p.x402Version === 1 ? { network: p.network, amount: "", payTo: "" } : p.accepted;
    return [String(p.x402Version), a.network, a.amount, a.payTo, isPermit ? "permit2" : "eip3009",
      t.from, to, value, after, before, t.nonce, p.payload.signature];
  };
  return from(isQuestion ? p.paymentPayload : p);
};
const isQuestion = process.argv[2] === "questions";
const lines = readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
const told = lines.map((line) => {
  try { return JSON.stringify(facts(JSON.parse(JSON.parse(line)), isQuestion)); } catch { return "null"; }
});
console.log(told.join("\n"));
