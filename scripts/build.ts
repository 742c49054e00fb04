// npm run build: one binary with migrations and assets inside.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const OUT = join(ROOT, "dist", "tollway");

mkdirSync(join(ROOT, "dist"), { recursive: true });
// ESM, because bytecode alone means CommonJS, which bakes the build machine's paths in; no --minify, which breaks Elysia.
const command = [
  process.execPath,
  "build",
  "--compile",
  "--format=esm",
  "--bytecode",
  "--sourcemap",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--asset",
  "drizzle",
  "src/main.ts",
  "src/store/checkpoint-worker.ts",
  "src/store/analytics-worker.ts",
  "--outfile",
  OUT,
];
const child = Bun.spawn(command, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
const code = await child.exited;
if (code !== 0 || !existsSync(OUT)) {
  console.error("The build failed.");
  process.exit(1);
}
console.log(`dist/tollway  ${(statSync(OUT).size / 1024 / 1024).toFixed(1)} MiB`);
