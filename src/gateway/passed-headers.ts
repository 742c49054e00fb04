// Which of a provider's response headers the caller sees: those that its row names, and no others.
import type { HeaderView } from "../core/ports";
import type { Connection } from "../core/settings";
import type { Provider } from "../providers/provider";
import { holdsCredential } from "./credential";

export function passedHeaders(provider: Provider, headers: HeaderView, connection: Connection | undefined): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of provider.passHeaders) {
    const value = headers.get(name);
    if (value !== undefined && !holdsCredential(value, connection)) passed[name] = value;
  }
  return passed;
}
