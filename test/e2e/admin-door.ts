// The administrator's door of a house, as the tests of /admin/v1 use it.
import { expect } from "bun:test";
import { ADMIN_KEY, type RunningHouse } from "./house";

export type Json = Record<string, unknown>;

export interface Answered {
  status: number;
  body: Json;
}

export interface Refused {
  status: number;
  code: string;
  param: string | null;
  message: string;
  tollway: Json;
}

export interface AdminDoor {
  /** `body` as text is sent as it is. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  /** What must go well. */
  get(path: string): Promise<Json>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Json>;
  patch(path: string, body: unknown): Promise<Json>;
  remove(path: string): Promise<Json>;
  /** What must not. */
  refused(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Refused>;
  /** Every entry of a listing, page by page. */
  all(path: string, limit?: number): Promise<Json[]>;
  /** Everything that /admin/v1 shows of organizations, without events. */
  everything(): Promise<Json>;
}

const LISTS = ["keys", "teams", "projects", "budgets", "limits", "credits/accounts"];

export function adminDoor(house: RunningHouse): AdminDoor {
  const ask: AdminDoor["ask"] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${house.url}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };
  const well = async (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Json> => {
    const answered = await ask(method, path, body, headers);
    if (answered.status !== 200) throw new Error(`${method} ${path}: ${answered.status} ${JSON.stringify(answered.body)}`);
    return answered.body;
  };
  const all: AdminDoor["all"] = async (path, limit = 100) => {
    const entries: Json[] = [];
    let cursor = "";
    do {
      const page = await well("GET", `${path}${path.includes("?") ? "&" : "?"}limit=${limit}${cursor}`);
      entries.push(...(page["data"] as Json[]));
      cursor = page["next_cursor"] === null ? "" : `&cursor=${encodeURIComponent(String(page["next_cursor"]))}`;
    } while (cursor !== "");
    return entries;
  };
  return {
    ask,
    get: (path) => well("GET", path),
    post: (path, body, headers) => well("POST", path, body, headers),
    patch: (path, body) => well("PATCH", path, body),
    remove: (path) => well("DELETE", path),
    async refused(method, path, body, headers) {
      const { status, body: answer } = await ask(method, path, body, headers);
      const error = answer["error"] as Refused | undefined;
      if (!error) throw new Error(`Not refused: ${method} ${path} ${JSON.stringify(body)} → ${JSON.stringify(answer)}`);
      expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "tollway", "type"]);
      expect(error.message.length).toBeGreaterThan(10);
      const { code, param, message, tollway } = error;
      return { status, code, param, message, tollway };
    },
    all,
    async everything() {
      const seen: Json = { organizations: await all("/organizations") };
      for (const { id } of seen["organizations"] as Json[])
        for (const list of LISTS) seen[`${id} ${list}`] = await all(`/${list}?organization=${id}`);
      return seen;
    },
  };
}
