// SPDX-License-Identifier: Apache-2.0
// Writes artifacts/*.json, what the relayer builds into its binary, from the compiled sources.
// With `--check` it writes nothing and fails where a committed file differs from its source.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const OUT = join(ROOT, "artifacts");
const CONTRACTS = ["AffiliatePayout", "AffiliateRegistry", "SGEIdentity", "SGEToken", "TestUSDC"];

/** The same value with the keys of every object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function artifactOf(name: string): string {
  const path = join(ROOT, "build", "src", `${name}.sol`, `${name}.json`);
  const { contractName, abi, bytecode, deployedBytecode } = JSON.parse(readFileSync(path, "utf8"));
  const artifact = sorted({ contractName, abi, bytecode, deployedBytecode });
  return JSON.stringify(artifact, null, 2) + "\n";
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const check = process.argv.includes("--check");
mkdirSync(OUT, { recursive: true });
const wanted = new Map(CONTRACTS.map((name) => [`${name}.json`, artifactOf(name)]));
const differing = [...wanted].filter(([file, text]) => read(join(OUT, file)) !== text);
const strangers = readdirSync(OUT).filter((file) => !wanted.has(file));

if (check && differing.length + strangers.length > 0) {
  const names = [...differing.map(([file]) => file), ...strangers].join(", ");
  console.error(`artifacts: not what the sources compile to: ${names}; run: npm run artifacts`);
  process.exit(1);
}
if (!check) for (const [file, text] of differing) writeFileSync(join(OUT, file), text);
console.log(`artifacts: ${wanted.size} files, ${check ? "all match" : `${differing.length} written`}`);
