// `bun test/clients/run.ts [--only REGEX] [--sdk NAME] [--source] [--without-agents]`: real clients against the gateway, over sockets.
// Closes with `clients: N passed, N failed, N skipped`; the list of cases goes to .build/results.json.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startControlledUpstream } from "../upstream/control";
import { sharedFolder } from "../upstream/recording";
import { AGENTS, runAgents } from "./agents";
import { BUILD, startGateway } from "./gateway";
import { installPython, PYTHON_SDKS, runPython } from "./python";
import { buildSuite, installSdks, runSuite, SDKS, sdkCommand, suiteEnvironment } from "./sdks";
import type { CaseResult } from "./suite/main";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    sdk: { type: "string" },
    source: { type: "boolean", default: false },
    "without-agents": { type: "boolean", default: false },
  },
});
const { only, sdk, source } = values;
const wanted = (names: readonly string[]): string[] => names.filter((name) => sdk === undefined || name === sdk);

function tell(result: CaseResult): void {
  const mark = { passed: "(pass)", failed: "(fail)", skipped: "(skip)" }[result.outcome];
  console.log(`${mark} ${result.sdk} > ${result.name} [${result.ms} ms]`);
  if (result.error !== undefined) console.log(result.error.replace(/^/gm, "       "));
}

/** The SDKs, one after the other: each has the upstream to itself. */
async function runSdks(): Promise<CaseResult[]> {
  const environments = installPython(sdk);
  await installSdks();
  const suite = await buildSuite();
  const upstream = await startControlledUpstream();
  const gateway = await startGateway(upstream.url, { source, log: "gateway.log" });
  try {
    const results: CaseResult[] = [];
    for (const name of wanted(SDKS)) {
      results.push(...(await runSuite(name, sdkCommand(suite, name, only), suiteEnvironment(gateway, upstream.url))));
    }
    for (const environment of await environments) results.push(...(await runPython(environment, gateway, upstream.url, only)));
    return results;
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

const results: CaseResult[] = [];
if (wanted([...SDKS, ...PYTHON_SDKS]).length > 0) results.push(...(await runSdks()));
const agents = values["without-agents"] ? [] : wanted(AGENTS);
if (agents.length > 0) results.push(...(await runAgents(agents, { source, only })));
for (const result of results) tell(result);
writeFileSync(join(BUILD, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
const count = (outcome: CaseResult["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
for (const name of new Set(results.map((result) => result.sdk))) {
  const of = results.filter((result) => result.sdk === name);
  console.log(`${name}: ${of.filter((result) => result.outcome === "passed").length} of ${of.length}`);
}
if (results.some(({ outcome, error }) => outcome === "skipped" && error === undefined)) console.log(`no recordings in ${sharedFolder()}`);
console.log(`clients: ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
process.exit(count("failed") === 0 && count("passed") > 0 ? 0 : 1);
