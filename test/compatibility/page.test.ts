// docs/compatibility.md says what is so.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { recordings, sharedMissing } from "../recordings/load";
import { CAPABILITIES } from "./asks";
import { cellOf, DOORS, ROWS } from "./matrix";
import { compatibilityPage } from "./page";

const PAGE = join(import.meta.dir, "../../docs/compatibility.md");

describe("the page of compatibility", () => {
  test.skipIf(sharedMissing)("is what the rows, the dialects and the recordings say", async () => {
    const page = compatibilityPage();
    if (process.env["TOLLWAY_WRITE_DOCS"] === "1") await Bun.write(PAGE, page);
    expect(await Bun.file(PAGE).text()).toBe(page);
  });

  test.each(ROWS.map((row) => [row.name, row] as const))("%s takes plain text and streams at every door", (_, row) => {
    for (const door of DOORS)
      for (const capability of CAPABILITIES.slice(0, 2)) expect(cellOf(door, row, capability)).toMatchObject({ kind: "sent", leftOut: [] });
  });

  test.skipIf(sharedMissing)("every capability of the index that a chat door can show is asked for", () => {
    expect(recordings().length).toBeGreaterThan(400);
    const asked = new Set(CAPABILITIES.flatMap(({ cells }) => cells));
    expect(asked.size).toBeGreaterThan(30);
  });
});
