// The committed migrations must make exactly the schema of src/store/schema.ts: generating once more must find nothing to do.
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "tollway-migrations-"));
const copy = join(scratch, "drizzle");
cpSync(join(ROOT, "drizzle"), copy, { recursive: true });
const before = readdirSync(copy).filter((name) => name.endsWith(".sql"));
const kit = join(ROOT, "node_modules", ".bin", "drizzle-kit");
const child = Bun.spawn(
  [process.execPath, kit, "generate", "--dialect", "sqlite", "--schema", "src/store/schema.ts", "--out", relative(ROOT, copy)],
  { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
);
const printed = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
const code = await child.exited;
const after = readdirSync(copy).filter((name) => name.endsWith(".sql"));
rmSync(scratch, { recursive: true, force: true });
if (code !== 0 || after.length !== before.length || before.length === 0) {
  console.error(printed);
  console.error("drizzle/ does not match src/store/schema.ts: run bunx drizzle-kit generate, and commit what it makes.");
  process.exit(1);
}
