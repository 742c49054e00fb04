// What commands need of the world: somebody who answers /admin/v1, and a place to print.

/** Resolves with the answer's JSON; throws `CommandFailed` with a message for the operator. */
export type AdminCall = (method: "GET" | "POST" | "DELETE", path: string, body?: unknown) => Promise<unknown>;

export interface Output {
  /** stdout: what a program reads. */
  data(line: string): void;
  /** stderr: what a person reads. */
  message(line: string): void;
}

export class CommandFailed extends Error {}

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
    throw new CommandFailed(messageOf(answer));
  };

function messageOf(answer: unknown): string {
  const { error } = answer as { error?: { message?: unknown; param?: unknown } };
  const message = typeof error?.message === "string" ? error.message : "The gateway refused.";
  // Most messages begin with the field's name already.
  return typeof error?.param === "string" && !message.startsWith(error.param) ? `${error.param}: ${message}` : message;
}
