// What the chain of paper remembers: who owns what, which nonces are spent, what has moved. It knows no contracts and no
// HTTP. Amounts are bigints in the asset's atomic units; addresses are lower case.

// An account that nobody set a balance for owns more than any run can spend, as on the doubles' chain.
const AMPLE = 1_000_000_000_000_000n;

export class Ledger {
  #balances = new Map();
  #allowances = new Map();
  #spent = new Set();
  #codes = new Map();

  // Every transfer, in the chain's order: what a judge reads.
  transfers = [];

  // `allowance` is what an account has allowed the Permit2 contract, unless somebody says otherwise of it.
  constructor(allowance) {
    this.allowance = allowance;
  }

  balanceOf(account) {
    return this.#balances.get(account) ?? AMPLE;
  }

  allowanceOf(owner) {
    return this.#allowances.get(owner) ?? this.allowance;
  }

  // The code of a smart account, in words: what its signature check does.
  codeOf(account) {
    return this.#codes.get(account);
  }

  setBalance(account, amount) {
    this.#balances.set(account, amount);
  }

  setAllowance(owner, amount) {
    this.#allowances.set(owner, amount);
  }

  setCode(account, code) {
    this.#codes.set(account, code);
  }

  // `by` is the contract that uses the nonce up.
  isSpent(by, from, nonce) {
    return this.#spent.has(`${by}:${from}:${nonce}`);
  }

  // Moves the money and spends the nonce. The caller has checked everything that could forbid it.
  move({ by, from, to, value, nonce, transaction, sender }) {
    this.#balances.set(from, this.balanceOf(from) - value);
    this.#balances.set(to, this.balanceOf(to) + value);
    this.#spent.add(`${by}:${from}:${nonce}`);
    this.transfers.push({ by, from, to, value: value.toString(), nonce, transaction, sender });
  }
}
