// Is everything as it should be? Looks at what is stored, sealed, counted and connected, while calls go on, and changes nothing.
import { asFailure } from "../core/failure";
import type { BookFault, BooksProof } from "../core/inspection";
import { usdText } from "../core/money";
import type { Ports } from "../core/ports";
import { VaultFault } from "../core/vault";
import { sealedRows } from "./sealed";

export interface Check {
  name: string;
  /** `skipped`: it cannot be looked at here, and says why. */
  status: "ok" | "fault" | "skipped";
  /** What was found, in a sentence. */
  says: string;
  /** Each fault, in a line. */
  faults: string[];
}

export interface DoctorDocument {
  object: "doctor";
  ok: boolean;
  version: string;
  checks: Check[];
}

export async function doctor(version: string, ports: Ports): Promise<DoctorDocument> {
  const checks = [
    check("config", `Settings were read; ${connectionsIn(ports)}`, []),
    await databaseCheck(ports),
    check("pepper", "It is the one that this database's keys were made with.", []),
    masterKeyCheck(ports),
    await clockCheck(ports),
    providersCheck(ports),
    ...(await booksChecks(ports)),
    await rollupsCheck(ports),
  ];
  return { object: "doctor", ok: checks.every(({ status }) => status !== "fault"), version, checks };
}

const check = (name: string, says: string, faults: string[]): Check => ({
  name,
  status: faults.length === 0 ? "ok" : "fault",
  says,
  faults,
});

const counted = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

const organizationsOf = ({ directory }: Ports): readonly string[] => directory.organizations().map(({ id }) => id);

const connectionsIn = (ports: Ports): string =>
  `${counted(new Set(organizationsOf(ports).flatMap((id) => ports.connections.connected(id).map(({ provider }) => provider))).size, "provider")} connected.`;

async function databaseCheck({ inspection }: Ports): Promise<Check> {
  try {
    const faults = await inspection.integrity();
    if (faults === undefined)
      return { name: "database", status: "skipped", says: "It is no file of this machine: its own server looks after it.", faults: [] };
    return check("database", faults.length === 0 ? "Every page, index and row is sound." : "The file is damaged: restore a backup.", [
      ...faults,
    ]);
  } catch (thrown) {
    return check("database", "It could not be looked at.", [asFailure(thrown).message]);
  }
}

/** Which key seals what, and whether each value opens where it stands. */
function masterKeyCheck({ directory, vault }: Ports): Check {
  const byKey = new Map<string, number>();
  const faults: string[] = [];
  for (const { place, value } of sealedRows(directory).flatMap(({ values }) => values)) {
    byKey.set(value.masterKeyId, (byKey.get(value.masterKeyId) ?? 0) + 1);
    try {
      vault.open(value, place);
    } catch (thrown) {
      if (!(thrown instanceof VaultFault)) throw thrown;
      faults.push(`${thrown.message}.${thrown.kind === "damaged" ? " Rotate it to mend it." : " That key is not here."}`);
    }
  }
  const current = `${vault.keyId} (current): ${byKey.get(vault.keyId) ?? 0}`;
  const others = [...byKey].filter(([id]) => id !== vault.keyId).map(([id, number]) => `${id}: ${number}, until tollway providers rekey`);
  return check("master key", `Secrets that each master key seals: ${[current, ...others].join("; ")}.`, faults);
}

/** Nobody's clock is right before this version was made. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** So much may the machine's clock have been ahead when the newest call came. */
const AHEAD_MS = 300_000;

async function clockCheck(ports: Ports): Promise<Check> {
  const now = ports.clock.now();
  const faults = now < EARLIEST ? [`The clock says ${new Date(now).toISOString()}, which is past.`] : [];
  for (const organizationId of organizationsOf(ports)) {
    const [newest] = (await ports.records.audit({ organizationId, limit: 1 })).data;
    if (newest !== undefined && newest.at > now + AHEAD_MS)
      faults.push(
        `A call of organization ${organizationId} is of ${new Date(newest.at).toISOString()}, which is yet to come: periods may count wrongly.`,
      );
  }
  return check("clock", `It is ${new Date(now).toISOString()}.`, faults);
}

/** Stored credentials that no call can be made with. Damaged ones are told by the master keys' check. */
function providersCheck(ports: Ports): Check {
  const faults: string[] = [];
  let stored = 0;
  for (const organizationId of organizationsOf(ports)) {
    for (const { id, provider, baseUrl } of ports.directory.list("credential", organizationId)) {
      stored++;
      if (baseUrl === undefined && ports.connections.address(provider) === undefined)
        faults.push(`Credential ${id} is for ${provider}, which has no address here.`);
    }
  }
  return check("providers", `${counted(stored, "stored credential")}, each with an address.`, faults);
}

const BOOKS: readonly (readonly [name: string, invariant: BookFault["invariant"]])[] = [
  ["ledger = counters", "I1"],
  ["holds = reserved", "I2"],
  ["one row per attempt", "I3"],
];

async function booksChecks({ inspection }: Ports): Promise<Check[]> {
  let proof: BooksProof;
  try {
    proof = await inspection.books();
  } catch (thrown) {
    const { message } = asFailure(thrown);
    return BOOKS.map(([name]) => check(name, "It could not be proven.", [message]));
  }
  const { ledgerRows, openHolds, scopes } = proof;
  const says = {
    I1: `${counted(ledgerRows, "row")} summed for ${counted(scopes, "counter")} of organizations, keys, budgets and balances.`,
    I2: `${counted(openHolds, "open hold")}.`,
    I3: `${counted(ledgerRows, "row")}: each attempt of a call is there, and none is held still.`,
  };
  return BOOKS.map(([name, invariant]) =>
    check(name, says[invariant], proof.faults.filter((fault) => fault.invariant === invariant).map(faultText)),
  );
}

async function rollupsCheck({ rollups }: Ports): Promise<Check> {
  try {
    const { blocks, rows, faults } = await rollups.verify({});
    return check("rollups = ledger", `${counted(blocks, "block")} of ${counted(rows, "row")} held against the ledger, row by row.`, [
      ...faults,
    ]);
  } catch (thrown) {
    return check("rollups = ledger", "It could not be proven.", [asFailure(thrown).message]);
  }
}

function faultText({ scope, mode, counted, written, invariant }: BookFault): string {
  if (counted === undefined || written === undefined) return `${scope} (${mode}): ${WITHOUT_SUMS[invariant]}`;
  const [what, rows] = invariant === "I1" ? ["spent", "the ledger sums"] : ["reserved", "open holds sum"];
  return `${scope} (${mode}): counted as ${what} ${usdText(counted)} USD, ${rows} to ${usdText(written)} USD`;
}

const WITHOUT_SUMS: Readonly<Record<BookFault["invariant"], string>> = {
  I1: "its row is not what was counted",
  I2: "its hold is not what is held",
  I3: "a row of its call is missing, or it is held although it has one",
};
