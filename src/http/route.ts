// What a route is, and who may use it.
import type { ApiKey } from "../core/exchange";
import type { Ports } from "../core/ports";

export type Access =
  /** No key. The explicit list of product.md: health only. */
  | "public"
  /** The line authenticates, in its own order. */
  | "line"
  /** An API key, whatever its mode. */
  | "key"
  /** The admin key, or a key of role `read`, which sees its own organization. */
  | "reader"
  /** The admin key, or the local socket. */
  | "admin";

export interface RouteCall {
  readonly request: Request;
  /** Parsed when it is asked for. */
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** Set where access is "key"; where it is "reader", undefined is the administrator. */
  readonly key: ApiKey | undefined;
  /** Reads the whole body as JSON, bounded. */
  json(): Promise<unknown>;
}

export interface House {
  readonly ports: Ports;
  /** Slugs of every provider row. */
  readonly everyProvider: readonly string[];
  readonly version: string;
  /** Whether calls can be served; the reason if not. */
  readiness(): { ready: true } | { ready: false; reason: string };
}

export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly access: Access;
  /** An object is answered as JSON. */
  handle(call: RouteCall, house: House): Promise<object | Response> | object | Response;
}
