// Which provider a model id goes to (product.md, Fixed interfaces): the catalogue names it, else its family does, else nobody.
import { Failure } from "../core/failure";
import { endpointModel, undatedId } from "../core/model-id";
import { baseUrlVariable } from "../core/settings";

/** A provider as the router sees it, in the order in which ties are broken. */
export interface RouteRow {
  /** The slug. */
  name: string;
  /** Other slugs that mean it ("google"). */
  aliases: readonly string[];
  /** How to connect it: the environment variable of its key, or of its base URL. */
  variable: string;
  /** Ids that go here when no catalogue has them. */
  families: readonly RegExp[];
}

/** What is true of providers at this moment. */
export interface RouteFacts {
  /** An account is connected. */
  connected(row: RouteRow): boolean;
  /** Its catalogue has this exact id. */
  knows(row: RouteRow, model: string): boolean;
  /** Every id that its catalogue has: asked only to suggest one. */
  ids(row: RouteRow): readonly string[];
}

export interface RouteAsk {
  model: string;
  /** `provider.only` of the request: the only slugs that may serve it. undefined: any. */
  only: readonly string[] | undefined;
}

/**
 * The slugs that may serve the model, best first; never empty. A pinned provider is taken at its word for any id.
 * Throws `model_not_found` for an id of nobody or of nobody that is connected, `invalid_value` for a pin on an unknown slug.
 */
export function routeModel(ask: RouteAsk, rows: readonly RouteRow[], facts: RouteFacts): readonly string[] {
  if (ask.only !== undefined && ask.only.length > 0) return routePinned(ask.only, rows, facts);
  const { model } = ask;
  const named = endpointModel(model);
  if (named) return [routeEndpoint(named.endpoint, model, rows, facts)];
  let unconnected: readonly RouteRow[] = [];
  for (const claim of CLAIMS) {
    const claiming = claim(model, rows, facts);
    const connected = claiming.filter((row) => facts.connected(row));
    if (connected.length > 0) return connected.map((row) => row.name);
    if (unconnected.length === 0) unconnected = claiming;
  }
  throw unconnected.length > 0
    ? notConnected(`The model ${quoted(model)} is served by`, unconnected, "model")
    : unknown(model, rows, facts);
}

/** An id that carries its endpoint's name goes there, or nowhere. */
function routeEndpoint(endpoint: string, model: string, rows: readonly RouteRow[], facts: RouteFacts): string {
  const row = rows.find((each) => each.name === endpoint || each.aliases.includes(endpoint));
  if (row && facts.connected(row)) return row.name;
  const unconnected = row ?? { name: endpoint, variable: baseUrlVariable(endpoint) };
  throw notConnected(`The model ${quoted(model)} is served by`, [unconnected], "model");
}

/** Who claims a model. Each claim is weaker than the one before it, and made only where that found nobody. */
const CLAIMS: readonly ((model: string, rows: readonly RouteRow[], facts: RouteFacts) => readonly RouteRow[])[] = [
  (model, rows, facts) => rows.filter((row) => facts.knows(row, model)),
  (model, rows, facts) => {
    const undated = undatedId(model);
    return undated === undefined ? [] : rows.filter((row) => facts.knows(row, undated));
  },
  (model, rows) => rows.filter((row) => row.families.some((family) => family.test(model))),
];

/** The slugs that `provider.only` names and that are connected. Throws as `routeModel`. */
export function routePinned(only: readonly string[], rows: readonly RouteRow[], facts: RouteFacts): readonly string[] {
  const named = only.map((slug, i) => {
    const row = rows.find((each) => each.name === slug || each.aliases.includes(slug));
    if (!row) {
      const known = rows.map((each) => each.name).join(", ");
      throw new Failure("invalid_value", `Unknown provider ${quoted(slug)}. Known: ${known}`, { param: `provider.only[${i}]` });
    }
    return row;
  });
  const connected = named.filter((row) => facts.connected(row));
  if (connected.length === 0) throw notConnected("The request allows only", named, "provider.only");
  return [...new Set(connected.map((row) => row.name))];
}

function notConnected(start: string, rows: readonly Pick<RouteRow, "name" | "variable">[], param: string): Failure {
  const names = rows.map((row) => row.name).join(" or ");
  const variables = rows.map((row) => row.variable).join(" or ");
  const verb = rows.length === 1 ? "which is not" : "none of which is";
  return new Failure("model_not_found", `${start} ${names}, ${verb} connected here. Set ${variables} to connect it`, { param });
}

function unknown(model: string, rows: readonly RouteRow[], facts: RouteFacts): Failure {
  const near = nearestIds(model, rows, facts);
  const hint = near.length === 0 ? "GET /v1/models lists what there is" : `Did you mean ${near.map(quoted).join(" or ")}?`;
  return new Failure("model_not_found", `The model ${quoted(model)} does not exist here. ${hint}`, { param: "model" });
}

const SHOWN_CHARACTERS_MAX = 100;
const quoted = (text: string): string => `"${text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text}"`;

const SUGGESTIONS_MAX = 3;

/** The closest ids of connected providers, else of all: at most three, and none that differs in more than a third. */
function nearestIds(model: string, rows: readonly RouteRow[], facts: RouteFacts): readonly string[] {
  if (model === "" || model.length > SHOWN_CHARACTERS_MAX) return [];
  const connected = rows.filter((row) => facts.connected(row));
  const ids = new Set((connected.length > 0 ? connected : rows).flatMap((row) => facts.ids(row)));
  const wanted = model.toLowerCase();
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const scored: { id: string; distance: number }[] = [];
  for (const id of ids) {
    const distance = editDistance(wanted, id.toLowerCase(), most);
    if (distance <= most) scored.push({ id, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1));
  return scored.slice(0, SUGGESTIONS_MAX).map(({ id }) => id);
}

/** Levenshtein's distance, or `most + 1` as soon as it is certain to be more. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const cell = Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      next.push(cell);
      if (cell < least) least = cell;
    }
    if (least > most) return most + 1;
    row = next;
  }
  return row[b.length] ?? most + 1;
}
