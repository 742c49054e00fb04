// `bun test/upstream/serve.ts --port N [--map file.json]`: the replay upstream as a process. Prints one line `ready http://host:port`.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseByModel, startControlledUpstream } from "./control";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, map: { type: "string" } } });
const byModel = values.map === undefined ? undefined : parseByModel(JSON.parse(readFileSync(values.map, "utf8")));
const upstream = await startControlledUpstream({ port: Number(values.port), byModel });
console.log(`ready ${upstream.url}`);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void upstream.close().then(() => process.exit(0)));
