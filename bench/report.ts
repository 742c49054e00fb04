// Turns rounds into medians, ratios and text.
import type { Measured } from "./load";
import type { Mode } from "./payload";
import type { VariantName } from "./variants";

export interface Round extends Measured {
  mode: Mode;
  connections: number;
  variant: VariantName;
  round: number;
}

export type Figures = Omit<Measured, "failed" | "requests">;

export interface Row extends Figures {
  mode: Mode;
  connections: number;
  variant: VariantName;
  rounds: number;
  /** Over all rounds. */
  requests: number;
  failed: number;
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new Error("no values");
  return (upper + lower) / 2;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** One row for each mode, number of connections and variant: the medians of its rounds. */
export function summarize(rounds: readonly Round[]): Row[] {
  const groups = Map.groupBy(rounds, ({ mode, connections, variant }) => `${mode} ${connections} ${variant}`);
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    if (!first) return [];
    const middle = (figure: keyof Figures): number => median(group.map((round) => round[figure]));
    return {
      mode: first.mode,
      connections: first.connections,
      variant: first.variant,
      rounds: group.length,
      requests: sum(group.map(({ requests }) => requests)),
      failed: sum(group.map(({ failed }) => failed)),
      requestsPerSecond: middle("requestsPerSecond"),
      p50Ms: middle("p50Ms"),
      p99Ms: middle("p99Ms"),
      cpuUsPerRequest: middle("cpuUsPerRequest"),
      rssMib: middle("rssMib"),
      bytesPerRequest: middle("bytesPerRequest"),
    };
  });
}

export interface Ratio {
  mode: Mode;
  connections: number;
  against: VariantName;
  /** Tollway's CPU a request by the other's: below 1 is cheaper. */
  cpu: number;
  /** Tollway's requests a second by the other's. */
  requestsPerSecond: number;
  /** Tollway's median latency less the other's, in ms. */
  addedP50Ms: number;
}

/** Tollway against every other variant, for the same mode and number of connections. */
export function ratios(rows: readonly Row[]): Ratio[] {
  return rows
    .filter((row) => row.variant === "tollway")
    .flatMap((own) =>
      rows
        .filter((row) => row.mode === own.mode && row.connections === own.connections && row.variant !== "tollway")
        .map((other) => ({
          mode: own.mode,
          connections: own.connections,
          against: other.variant,
          cpu: own.cpuUsPerRequest / other.cpuUsPerRequest,
          requestsPerSecond: own.requestsPerSecond / other.requestsPerSecond,
          addedP50Ms: own.p50Ms - other.p50Ms,
        })),
    );
}

/** The rows as a table. */
export function table(rows: readonly Row[]): string {
  const head = ["mode", "c", "variant", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "RSS MiB", "failed"];
  const lines = rows.map((row) => [
    row.mode,
    String(row.connections),
    row.variant,
    row.requestsPerSecond.toFixed(0),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.cpuUsPerRequest.toFixed(1),
    row.rssMib.toFixed(0),
    String(row.failed),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[]): string =>
    line.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  return [head, ...lines].map(text).join("\n");
}

/** The closing lines: one for each mode and number of connections. */
export function closing(rows: readonly Row[], all: readonly Ratio[]): string[] {
  return rows
    .filter((row) => row.variant === "tollway")
    .map((own) => {
      const against = all
        .filter((ratio) => ratio.mode === own.mode && ratio.connections === own.connections && ratio.against !== "direct")
        .map((ratio) => `${ratio.cpu.toFixed(2)}x ${ratio.against}`);
      const cost = `${own.cpuUsPerRequest.toFixed(0)} µs CPU/req`;
      return `bench ${own.mode} c=${own.connections}: tollway ${own.requestsPerSecond.toFixed(0)} req/s, ${cost} = ${against.join(", ")}`;
    });
}
