// SPDX-License-Identifier: Apache-2.0
// Plants one bug at a time into a copy of the sources and runs the invariants alone on it: each bug
// must be found. Shows that the invariants can fail. Slow: about half a minute for each bug.
// usage: mutants [PART OF A BUG'S NAME]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
// A bug that few sequences show is looked for again, longer.
const RUNS = [32, 128, 512];

interface Mutant {
  bug: string;
  file: string;
  from: string;
  to: string;
}

const payout = (bug: string, from: string, to = ""): Mutant => ({
  bug,
  file: "AffiliatePayout.sol",
  from,
  to,
});
const MUTANTS: Mutant[] = [
  payout("a claim leaves the debt", "        owed[token][msg.sender] = 0;\n"),
  payout("a claim leaves the total debt", "        totalOwed[token] -= amount;\n"),
  payout("a debt is not added to the total", "        totalOwed[address(token)] += amount;\n"),
  payout("a debt is not held back", "        _noteDebt(address(token));\n"),
  payout("a debt is written down twice", "[referrer] += amount;", "[referrer] += 2 * amount;"),
  payout("a debt is not backed", "            _move(token, address(this), amount);\n"),
  payout("the batch loop forgets the id", "                sstore(paid, 1)\n"),
  payout("the careful path forgets the id", "        referralPaid[p.payoutId] = true;\n"),
  payout("the batch loop ignores the payout cap", "lt(sub(amount, 1), cap)", "gt(amount, 0)"),
  payout(
    "batches go on while paused",
    "onlyRole(RELAYER_ROLE) whenNotPaused returns",
    "onlyRole(RELAYER_ROLE) returns",
  ),
  payout(
    "anybody sets the treasury",
    "setTreasury(address treasury_) external onlyRole(DEFAULT_ADMIN_ROLE)",
    "setTreasury(address treasury_) external",
  ),
  payout("anybody unpauses", "unpause() external onlyRole(DEFAULT_ADMIN_ROLE)", "unpause() external"),
  payout(
    "claims stop while paused",
    "claim(address token, address to) external nonReentrant",
    "claim(address token, address to) external whenNotPaused nonReentrant",
  ),
  payout("withdrawals need no pause", "whenPaused nonReentrant", "nonReentrant"),
  payout(
    "withdrawals take what is owed",
    "        if (amount > free) revert InsufficientFunds(token, amount, free);\n",
  ),
  {
    bug: "the window forgets",
    file: "RollingDay.sol",
    from: "uint256 sum = _spentAt(self, hour) + amount;",
    to: "uint256 sum = amount;",
  },
  { bug: "a day of 20 hours", file: "RollingDay.sol", from: "HOURS = 25", to: "HOURS = 20" },
  {
    bug: "a referrer is replaced",
    file: "AffiliateRegistry.sol",
    from: "if (known != address(0)) return AlreadyReferred.selector;",
    to: "",
  },
  {
    bug: "rings are let in",
    file: "AffiliateRegistry.sol",
    from: "if (_isAbove(child, referrer)) return ReferralCycle.selector;",
    to: "",
  },
];

const copy = mkdtempSync(join(tmpdir(), "sluice-mutants-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const name of ["src", "package.json", "hardhat.config.ts"]) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}
for (const name of ["lib", "PayoutInvariants.t.sol", "RegistryInvariants.t.sol"]) {
  const path = join("test", "solidity", name);
  cpSync(join(ROOT, path), join(copy, path), { recursive: true });
}
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));

/** The invariants that fail on what is in the copy now, in so many sequences. */
function failing(runs: number): string[] {
  const search = { SLUICE_FUZZ_RUNS: `${runs}`, SLUICE_INVARIANT_DEPTH: "64", NO_COLOR: "1" };
  const options = { cwd: copy, encoding: "utf8", env: { ...process.env, ...search } } as const;
  const run = spawnSync("hardhat", ["test", "solidity"], { ...options, maxBuffer: 1 << 26 });
  if (run.error) throw run.error;
  const names = new Set([...run.stdout.matchAll(/(\w+Invariants#\w+)/g)].map((m) => m[1]));
  if (run.status !== 0 && names.size === 0) throw new Error(run.stdout + run.stderr);
  return run.status === 0 ? [] : [...names];
}

if (failing(RUNS[0]).length > 0) throw new Error("mutants: the invariants fail without a bug");
const wanted = MUTANTS.filter(({ bug }) => bug.includes(process.argv[2] ?? ""));
let survivors = 0;
for (const { bug, file, from, to } of wanted) {
  const path = join(copy, "src", file);
  const source = readFileSync(path, "utf8");
  if (source.split(from).length !== 2) throw new Error(`mutants: not once in ${file}: ${from}`);
  writeFileSync(path, source.replace(from, to));
  let found: string[] = [];
  for (const runs of RUNS) {
    found = failing(runs);
    if (found.length > 0) break;
  }
  writeFileSync(path, source);
  if (found.length === 0) ++survivors;
  console.log(`${bug}: ${found.length === 0 ? "NOT FOUND" : `found by ${found.join(", ")}`}`);
}
console.log(`mutants: ${wanted.length - survivors} of ${wanted.length} found`);
process.exit(survivors === 0 ? 0 : 1);
