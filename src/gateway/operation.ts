// Which of a provider's dialects serves a door: the caller's own where the provider speaks it, so that bytes go through.
import type { ChatRequest } from "../core/chat";
import type { Dialect } from "../dialects/dialect";
import type { Provider } from "../providers/provider";
import type { Door } from "./door";

/** undefined: the provider cannot do what the door asks for. */
export function dialectFor(provider: Provider, door: Door): Dialect | undefined {
  const able = provider.operations.filter((row) => row.does === door.operation);
  return (able.find((row) => row.dialect.name === door.dialect.name) ?? able[0])?.dialect;
}

/** As `dialectFor`, for a target that was planned: that it has none is a bug of ours. */
export function plannedDialect(provider: Provider, door: Door): Dialect {
  const dialect = dialectFor(provider, door);
  if (!dialect) throw new Error(`${provider.name} was planned for ${door.name}, which it cannot serve`);
  return dialect;
}

/**
 * Whether bytes go through: the provider speaks the caller's dialect. Not where the request holds free-text tools and the provider
 * takes functions only: those are written anew, and what the model calls is turned back.
 */
export const isForwarded = (request: ChatRequest, provider: Provider, dialect: Dialect, door: Door): boolean =>
  dialect.name === door.dialect.name && !(provider.deviations.functionToolsOnly && request.tools?.some((tool) => tool.custom) === true);
