// The built binary, alone in a folder of its own. Nothing is built here: `npm test` builds before.
import { constants, copyFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Command, emptyFolder } from "./gateway-process";

const BINARY = join(import.meta.dir, "../../dist/tollway");
const missing = !existsSync(BINARY);
if (missing && process.env["TOLLWAY_REQUIRE_BINARY"] === "1") throw new Error(`There is no ${BINARY}. Build it first: npm run build`);

/** Whether tests of the binary are left out, which their names then say. */
export const withoutBinary = missing;
export const binaryName = missing ? "the binary (dist/tollway is not built)" : "the binary";

/** A copy, so that nothing that stands beside the built one can be what makes it work. */
export function lonelyBinary(): { command: Command; remove(): void } {
  const folder = emptyFolder();
  const path = join(folder.path, "tollway");
  if (!missing) {
    copyFileSync(BINARY, path, constants.COPYFILE_FICLONE);
    if (statSync(path).size === 0) throw new Error(`${BINARY} is empty`);
  }
  return { command: [path], remove: folder.remove };
}
