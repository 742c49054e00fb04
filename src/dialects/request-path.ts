// Puts a value back where a path says it stood ("messages[0].content[1]", "stream_options.include_obfuscation").

type Container = Record<string | number, unknown>;

/**
 * Sets the value at a path of an object that is being built. A list's item is inserted at its index; text content becomes a
 * list of parts where the path goes into it. False: there is nothing at the path to hold it.
 */
export function placeAt(body: Record<string, unknown>, path: string, value: unknown): boolean {
  const steps = Array.from(path.matchAll(/([^.[\]]+)/g), ([step]) => (/^\d+$/.test(step) ? Number(step) : step));
  const last = steps.pop();
  if (last === undefined) return false;
  let holder: Container = body;
  for (const [position, step] of steps.entries()) {
    const next = steps[position + 1] ?? last;
    // Own members only: a name such as "__proto__" must not lead out of the body.
    const child = openUp(Object.hasOwn(holder, step) ? holder[step] : undefined, next);
    if (child === undefined) return false;
    holder[step] = child;
    holder = child;
  }
  if (!Array.isArray(holder)) holder[last] = value;
  else if (typeof last === "number" && last <= holder.length) holder.splice(last, 0, value);
  else return false;
  return true;
}

function openUp(child: unknown, next: string | number): Container | undefined {
  if (typeof child === "object" && child !== null) return child as Container;
  if (typeof next === "number") {
    const parts =
      child === null || child === undefined || child === "" ? [] : typeof child === "string" ? [{ type: "text", text: child }] : undefined;
    return parts as Container | undefined;
  }
  return child === undefined ? {} : undefined;
}
