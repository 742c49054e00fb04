// What administrators did, written down with every change, and read back. Never a secret.
import type { Numbered, Page, Ports } from "../core/ports";
import type { AdminEvent } from "../core/records";
import { type ListDocument, listDocument } from "./page";

/** Who acts through the admin key or the operator's socket. */
export const ADMIN = "admin";

export interface Deed {
  organizationId: string;
  /** "budget.created" */
  type: string;
  /** The id of what it was done to. */
  resource: string;
  data: Readonly<Record<string, unknown>>;
}

/** Durable when it resolves. */
export const note = ({ organizationId, type, resource, data }: Deed, ports: Ports): Promise<void> =>
  ports.journal.note({ at: ports.clock.now(), organizationId, actor: ADMIN, type, resource, data });

/** Newest first. */
export const listEvents = async (organizationId: string, page: Page, ports: Ports): Promise<ListDocument> =>
  listDocument(await ports.journal.adminEvents(organizationId, page), eventDocument);

const eventDocument = (event: Numbered<AdminEvent>): object => ({
  object: "event",
  id: `evt_${event.id}`,
  type: event.type,
  time: new Date(event.at).toISOString(),
  organization: event.organizationId,
  actor: event.actor,
  resource: event.resource,
  data: event.data,
});
