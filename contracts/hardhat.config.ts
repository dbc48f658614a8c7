// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";
import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import hardhatViem from "@nomicfoundation/hardhat-viem";
import hardhatViemAssertions from "@nomicfoundation/hardhat-viem-assertions";

// The compiler comes from npm: nothing is downloaded at build time.
const solc = {
  version: "0.8.37",
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  settings: {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: { enabled: true, runs: 10_000_000 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
  },
};

// How long the tests search: `npm run test:deep` sets more than a commit can wait for.
const runs = Number(process.env.SLUICE_FUZZ_RUNS ?? 256);
const depth = Number(process.env.SLUICE_INVARIANT_DEPTH ?? 64);

export default defineConfig({
  plugins: [hardhatNodeTestRunner, hardhatViem, hardhatViemAssertions],
  paths: {
    sources: ["./src", "./mocks"],
    tests: { solidity: "./test/solidity", nodejs: "./test/integration" },
    cache: "./cache",
    artifacts: "./build",
  },
  solidity: { profiles: { default: solc, production: solc } },
  test: {
    solidity: {
      fuzz: { runs, seed: "0x51c1ce" },
      invariant: { runs: Math.ceil(runs / 8), depth, failOnRevert: true },
    },
  },
});
