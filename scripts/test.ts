// npm test: every check in order, and one closing line. A step that cannot run is a failure, not a gap.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const ROOT = join(import.meta.dir, "..");
const fast = process.argv.includes("--fast");
const scratch = mkdtempSync(join(tmpdir(), "tollway-test-"));
const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const child = Bun.spawn([...command], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  return child.exited;
}

/** A step that passes or fails as a whole. */
async function check(name: string, command: readonly string[]): Promise<Tally> {
  const code = await run(command);
  console.log(`${code === 0 ? "(pass)" : "(fail)"} ${name}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** bun test, counted from its own report. A run that crashed or found nothing counts as a failure. */
async function bunTest(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Tally> {
  const report = join(scratch, `${name}.xml`);
  const code = await run([process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, ...args], env);
  let head = "";
  try {
    head = /<testsuites[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] ?? "";
  } catch (error) {
    console.error(`${name}: no report (${String(error)})`);
  }
  const figure = (field: string): number => Number(new RegExp(`\\b${field}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const tally = {
    passed: figure("tests") - figure("failures") - figure("skipped"),
    failed: figure("failures"),
    skipped: figure("skipped"),
  };
  if ((code !== 0 && tally.failed === 0) || tally.passed === 0) tally.failed += 1;
  return tally;
}

/** The SDKs print their own count. The coding agents, a gigabyte of them, have `npm run test:clients`. */
async function clients(): Promise<Tally> {
  const command = [process.execPath, join(ROOT, "test/clients/run.ts"), "--without-agents"];
  const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const text = await new Response(child.stdout).text();
  process.stdout.write(text);
  const code = await child.exited;
  const match = /clients: (\d+) passed, (\d+) failed, (\d+) skipped/.exec(text);
  const tally = { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0), skipped: Number(match?.[3] ?? 0) };
  if ((code !== 0 && tally.failed === 0) || tally.passed === 0) tally.failed += 1;
  return tally;
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const add = (tally: Tally): void => {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
};

add(await check("format and lint", [bin("biome"), "ci", "--error-on-warnings", "."]));
add(await check("types", [bin("tsc"), "--noEmit"]));
add(await check("migrations match the schema", [process.execPath, "scripts/migrations-check.ts"]));
if (fast) {
  add(
    await bunTest("fast", [
      "--path-ignore-patterns=**/e2e/**",
      "--path-ignore-patterns=**/kill/**",
      "--path-ignore-patterns=**/clients/**",
    ]),
  );
} else {
  add(await check("binary", [process.execPath, "scripts/build.ts"]));
  add(await bunTest("all", ["--path-ignore-patterns=**/clients/**", "--timeout=60000"], { TOLLWAY_REQUIRE_BINARY: "1" }));
  add(await clients());
}

rmSync(scratch, { recursive: true, force: true });
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
