// SPDX-License-Identifier: Apache-2.0
// Runs all tests with coverage and fails unless every line and statement of src/ was executed.
// Short fuzzing: coverage asks what was reached, `npm test` asks whether it holds.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const INTERFACES = new Set(["IMintable.sol"]);
const SHORT = { SLUICE_FUZZ_RUNS: "8", SLUICE_INVARIANT_DEPTH: "16" };

const run = spawnSync("hardhat", ["test", "--coverage"], {
  cwd: ROOT,
  encoding: "utf8",
  env: { ...process.env, ...SHORT, NO_COLOR: "1" },
  maxBuffer: 1 << 26,
});
if (run.error) throw run.error;
if (run.status !== 0) {
  process.stderr.write(run.stdout + run.stderr);
  process.exit(1);
}

/** file -> [lines %, statements %, uncovered lines], out of the table that Hardhat prints. */
const measured = new Map<string, [string, string, string]>();
for (const line of run.stdout.split("\n")) {
  const cells = line.split("║")[1]?.split("│").map((cell) => cell.trim());
  if (cells?.length !== 4 || !cells[0].startsWith("src/")) continue;
  measured.set(cells[0].slice("src/".length), [cells[1], cells[2], cells[3]]);
}

const sources = readdirSync(join(ROOT, "src")).filter((file) => !INTERFACES.has(file));
let short = 0;
for (const file of sources) {
  const [lines, statements, uncovered] = measured.get(file) ?? ["none", "none", "all"];
  if (lines === "100.00" && statements === "100.00") continue;
  console.error(`coverage: src/${file}: lines ${lines}, statements ${statements}: ${uncovered}`);
  ++short;
}
if (short > 0) process.exit(1);
console.log(`coverage: ${sources.length} files of src/, each 100 % of lines and statements`);
