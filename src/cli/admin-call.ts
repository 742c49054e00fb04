// What commands need of the world: somebody who answers /admin/v1, and a place to print.

export type AdminMethod = "GET" | "POST" | "PATCH" | "DELETE";

/** Resolves with the answer's JSON; throws `CommandFailed` with a message for the operator. */
export type AdminCall = (method: AdminMethod, path: string, body?: unknown) => Promise<unknown>;

export interface Output {
  /** stdout: what a program reads. */
  data(line: string): void;
  /** stderr: what a person reads. */
  message(line: string): void;
}

/** A fault of what was asked, by the field that it names ("budgets[0].limit_usd"). */
export interface FieldFault {
  param: string;
  message: string;
}

export class CommandFailed extends Error {
  readonly #faults: readonly FieldFault[];

  constructor(message: string, faults: readonly FieldFault[] = []) {
    super(message);
    this.#faults = faults;
  }

  /** Every field that the gateway found fault with; empty where it named none. */
  get faults(): readonly FieldFault[] {
    return this.#faults;
  }
}

/** Turns a Response-maker into an AdminCall. */
export const adminCallOver =
  (send: (request: Request) => Promise<Response>): AdminCall =>
  async (method, path, body) => {
    const response = await send(
      new Request(`http://gateway.invalid${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      }),
    );
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    throw failureOf(answer);
  };

/** A refusal as the operator should read it, out of the answer's JSON. */
export function failureOf(answer: unknown): CommandFailed {
  const { error } = answer as { error?: { message?: unknown; param?: unknown; [extension: string]: unknown } };
  const said = typeof error?.message === "string" ? error.message : "The gateway refused.";
  if (typeof error?.param !== "string") return new CommandFailed(said);
  // Most messages begin with the field's name already.
  const message = said.startsWith(error.param) ? said : `${error.param}: ${said}`;
  return new CommandFailed(message, faultsOf(error) ?? [{ param: error.param, message: said }]);
}

/** The extension's list of faults, under whatever name the gateway's brand has. */
function faultsOf(error: Readonly<Record<string, unknown>>): readonly FieldFault[] | undefined {
  for (const value of Object.values(error)) {
    if (typeof value !== "object" || value === null || !("faults" in value) || !Array.isArray(value.faults)) continue;
    return value.faults as FieldFault[];
  }
  return undefined;
}
