// Taste as a test: the floors, the home of each library, bans with their replacement, sizes, and the list of dependencies.
import { describe, expect, test } from "bun:test";
import { dirname, join, normalize, relative } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");
const FLOORS = ["core", "wire", "policy", "dialects", "providers", "store", "net", "telemetry", "gateway", "admin", "http", "cli"] as const;
type Floor = (typeof FLOORS)[number] | "config.ts" | "main.ts";

/** A folder may import only what stands after its name. main.ts may touch everything. */
const MAY_IMPORT: Record<Exclude<Floor, "main.ts">, readonly string[]> = {
  core: [],
  wire: ["core"],
  policy: ["core", "libphonenumber-js", "ibantools"],
  dialects: ["core", "wire", "zod"],
  providers: ["core", "dialects"],
  store: ["core", "drizzle-orm", "bun:sqlite", "@libsql/client/web", "@pydantic/genai-prices"],
  net: ["core", "standardwebhooks"],
  telemetry: ["core"],
  gateway: ["core", "wire", "policy", "dialects", "providers"],
  admin: ["core", "policy"],
  http: ["core", "wire", "dialects", "gateway", "admin", "elysia", "zod", "mcp"],
  cli: ["core", "config.ts", "citty"],
  "config.ts": ["core", "zod", "yaml"],
};

/** Libraries that live in one folder only. */
const AT_HOME: Record<string, readonly string[]> = {
  elysia: ["http"],
  "drizzle-orm": ["store"],
  "bun:sqlite": ["store"],
  "@libsql/client": ["store"],
  "@pydantic/genai-prices": ["store"],
  citty: ["cli", "main.ts"],
  standardwebhooks: ["net"],
  yaml: ["config.ts"],
  zod: ["config.ts", "dialects", "http"],
};

/** Why each dependency is there. A dependency without a reason fails. */
const DEPENDENCIES: Record<string, string> = {
  "@libsql/client": "remote libSQL databases, through its web entry",
  "@pydantic/genai-prices": "rates and tiers of models; never its float arithmetic",
  citty: "the command line",
  "drizzle-orm": "one schema for both SQL drivers, migrations",
  elysia: "HTTP routes",
  standardwebhooks: "signatures of webhooks",
  yaml: "tollway.yaml, with lines and columns in its errors",
  zod: "validation of configuration and request bodies",
  "@anthropic-ai/sdk": "types of the Messages wire format; the real client in tests",
  "@biomejs/biome": "format and lint",
  "@google/genai": "types of the Gemini wire format",
  ajv: "tests: answers checked against OpenAI's schema",
  bun: "the runtime, pinned",
  "bun-types": "types of the runtime",
  "drizzle-kit": "generates migrations from the schema",
  "eventsource-parser": "tests: the oracle that wire/sse must equal",
  "fast-check": "tests: properties",
  openai: "types of the Chat Completions wire format; the real client in tests",
  typescript: "type checking",
};

const BANNED: readonly { pattern: RegExp; instead: string; except: readonly string[] }[] = [
  { pattern: /\bDate\.now\(/, instead: "Clock.now()", except: ["src/net/system.ts"] },
  { pattern: /\bnew Date\(\)/, instead: "Clock.now()", except: [] },
  { pattern: /\bperformance\.now\(/, instead: "Clock.elapsedMs()", except: ["src/net/system.ts"] },
  { pattern: /\bMath\.random\(/, instead: "Random.next()", except: ["src/net/system.ts"] },
  { pattern: /\bsetTimeout\(|\bsetInterval\(/, instead: "Clock.after() or Clock.sleep()", except: ["src/net/system.ts"] },
  { pattern: /\bprocess\.env\b/, instead: "config.ts, handed the environment by main.ts", except: ["src/main.ts"] },
  { pattern: /\bBun\./, instead: "a port: Bun's own stays in main.ts, store/ and net/", except: ["src/main.ts", "src/store/", "src/net/"] },
  {
    pattern: /from "bun(:[a-z]+)?"/,
    instead: "a port: Bun's own stays in main.ts, store/ and net/",
    except: ["src/main.ts", "src/store/", "src/net/"],
  },
  { pattern: /from "@libsql\/client"/, instead: '"@libsql/client/web": the plain entry crashes the compiled binary', except: [] },
  { pattern: /\bconsole\./, instead: "the Log port", except: [] },
  { pattern: /: any\b|<any>|\bas any\b|\bany\[\]/, instead: "unknown, and a check", except: [] },
  {
    pattern: /catch \{\s*\}|catch \([a-z]+\) \{\s*\}|\.catch\(\(\) => \{\s*\}\)/,
    instead: "an error that is told to somebody",
    except: [],
  },
  { pattern: /@ts-ignore|@ts-expect-error|@ts-nocheck/, instead: "types that fit", except: [] },
];

const BAD_FOLDERS = /(^|\/)(utils?|helpers?|common|services?|types)(\/|$)/;
const MAX_FILE_LINES = 400;
const MAX_TEST_LINES = 600;
const MAX_FUNCTION_LINES = 70;

interface Source {
  path: string;
  text: string;
  imports: { specifier: string; typeOnly: boolean }[];
}

const sources = await load("src/**/*.ts");
const tests = await load("{test,bench,scripts}/**/*.ts");

async function load(pattern: string): Promise<Source[]> {
  const found: Source[] = [];
  for await (const path of new Glob(pattern).scan({ cwd: ROOT })) {
    if (path.includes("node_modules")) continue;
    const text = await Bun.file(join(ROOT, path)).text();
    const imports = [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm)].map((match) => ({
      specifier: match[2] as string,
      typeOnly: match[1] !== undefined,
    }));
    for (const match of text.matchAll(/\bimport\("([^"]+)"\)/g)) imports.push({ specifier: match[1] as string, typeOnly: false });
    found.push({ path, text, imports });
  }
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

const floorOf = (path: string): string => path.split("/")[1] as string;

/** The path in the project that a relative import names, without its ending. */
const targetOf = (source: Source, specifier: string): string => relative(ROOT, normalize(join(ROOT, dirname(source.path), specifier)));

const matchesPackage = (specifier: string, name: string): boolean => specifier === name || specifier.startsWith(`${name}/`);

describe("the house is tidy:", () => {
  test("there is source to look at", () => {
    expect(sources.length).toBeGreaterThan(30);
  });

  test("imports only point down", () => {
    const faults: string[] = [];
    for (const source of sources) {
      const floor = floorOf(source.path);
      if (floor === "main.ts") continue;
      const allowed = MAY_IMPORT[floor as Exclude<Floor, "main.ts">];
      if (!allowed) {
        faults.push(`${source.path}: ${floor} is not a floor`);
        continue;
      }
      for (const { specifier } of source.imports) {
        if (specifier.startsWith("node:")) continue;
        if (specifier.startsWith(".")) {
          const target = targetOf(source, specifier).split("/")[1] ?? "";
          if (target !== floor && !allowed.includes(target) && !allowed.includes(`${target}.ts`))
            faults.push(`${source.path} imports ${specifier}`);
        } else if (
          !allowed.some((name) => matchesPackage(specifier, name)) &&
          !(floor === "dialects" && isTypeOnlySdk(source, specifier))
        ) {
          faults.push(`${source.path} imports ${specifier}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test("each library stays at home", () => {
    const faults: string[] = [];
    for (const source of sources) {
      for (const { specifier } of source.imports) {
        for (const [name, homes] of Object.entries(AT_HOME)) {
          if (matchesPackage(specifier, name) && !homes.includes(floorOf(source.path))) faults.push(`${source.path} imports ${specifier}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test("nothing banned is used", () => {
    const faults: string[] = [];
    for (const source of sources) {
      const code = source.text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, " "));
      for (const { pattern, instead, except } of BANNED) {
        if (except.some((path) => source.path.startsWith(path))) continue;
        const match = pattern.exec(code);
        if (match) faults.push(`${source.path}: ${match[0]} is banned, use ${instead}`);
      }
    }
    expect(faults).toEqual([]);
  });

  test("no imports go in a circle", () => {
    const edges = new Map<string, string[]>();
    for (const source of sources) {
      const targets = source.imports
        .filter(({ specifier }) => specifier.startsWith("."))
        .map(({ specifier }) => targetOf(source, specifier));
      edges.set(source.path.replace(/\.ts$/, ""), targets);
    }
    const circles: string[] = [];
    const state = new Map<string, "open" | "done">();
    const walk = (path: string, trail: string[]): void => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
        return;
      }
      state.set(path, "open");
      for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of edges.keys()) walk(path, []);
    expect(circles).toEqual([]);
  });

  test("files and functions are of a size that can be read", () => {
    const faults: string[] = [];
    for (const source of [...sources, ...tests]) {
      const most = source.path.startsWith("src/") ? MAX_FILE_LINES : MAX_TEST_LINES;
      const lines = source.text.split("\n");
      if (lines.length - 1 > most) faults.push(`${source.path} has ${lines.length - 1} lines`);
      if (source.path.startsWith("src/")) faults.push(...longFunctions(source.path, lines));
    }
    expect(faults).toEqual([]);
  });

  test("folders are named for what they hold, files in kebab-case", () => {
    const faults = [...sources, ...tests]
      .map((source) => source.path)
      .filter((path) => BAD_FOLDERS.test(path) || !/^[a-z0-9./-]+$/.test(path));
    expect(faults).toEqual([]);
  });

  test("every dependency is exact, has a reason, and no host stands in the lockfile", async () => {
    const manifest = (await Bun.file(join(ROOT, "package.json")).json()) as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.keys(all).sort()).toEqual(Object.keys(DEPENDENCIES).sort());
    expect(Object.values(all).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    for (const lockfile of ["bun.lock", "test/clients/bun.lock", "test/clients/agents/bun.lock"]) {
      const file = Bun.file(join(ROOT, lockfile));
      if (await file.exists()) expect((await file.text()).match(/", "https?:\/\//g)).toBeNull();
    }
  });

  test("provider SDKs are types only in the source", () => {
    const faults: string[] = [];
    for (const source of sources) {
      for (const { specifier, typeOnly } of source.imports) {
        if (/^(openai|@anthropic-ai\/sdk|@google\/genai)(\/|$)/.test(specifier) && !typeOnly)
          faults.push(`${source.path} imports ${specifier}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

const isTypeOnlySdk = (source: Source, specifier: string): boolean =>
  /^(openai|@anthropic-ai\/sdk|@google\/genai)(\/|$)/.test(specifier) &&
  source.imports.every((one) => one.specifier !== specifier || one.typeOnly);

/** Top-level functions and methods longer than the limit, by their indentation: the formatter keeps it true. */
function longFunctions(path: string, lines: readonly string[]): string[] {
  const faults: string[] = [];
  for (let start = 0; start < lines.length; start++) {
    const line = lines[start] as string;
    const opens =
      /^( {0,4})(?:export )?(?:async )?(?:function\b|(?:static |private |get |async |#)*[#\w]+\(.*\).*\{$|const \w+ = (?:async )?\(.*=> \{$)/.exec(
        line,
      );
    if (!opens || /^\s*(if|for|while|switch|return|catch)\b/.test(line)) continue;
    const indent = opens[1] as string;
    const end = lines.findIndex(
      (other, index) => index > start && (other === `${indent}}` || other === `${indent}};` || other === `${indent}},`),
    );
    if (end !== -1 && end - start + 1 > MAX_FUNCTION_LINES) faults.push(`${path}:${start + 1} is a function of ${end - start + 1} lines`);
  }
  return faults;
}
