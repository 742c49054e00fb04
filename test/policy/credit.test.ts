import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { CreditAccount } from "../../src/core/records";
import { affordable, chargeOf, narrowestAccount, withMarkup } from "../../src/policy/credit";

const balance = (markupBasisPoints: number): Budget => ({
  id: "crd",
  organizationId: "o",
  scope: { kind: "key", id: "k" },
  limit: nanoUsd(0n),
  window: { unit: "lifetime", rolling: false, zone: "UTC" },
  hard: true,
  thresholds: [],
  createdAt: 0,
  standsFor: { kind: "credit-account", mode: "live", markupBasisPoints },
});

test("a charge is the cost and its markup, rounded up", () => {
  expect(withMarkup(nanoUsd(100n), 2_000)).toBe(nanoUsd(120n));
  expect(withMarkup(nanoUsd(1n), 1)).toBe(nanoUsd(2n));
  expect(withMarkup(nanoUsd(7n), 0)).toBe(nanoUsd(7n));
});

test("what is affordable is the largest cost whose charge is within what is left", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: 0, max: 100_000 }), (left, markup) => {
      const budget = balance(markup);
      const most = affordable(budget, nanoUsd(left));
      expect(chargeOf(budget, most) <= left).toBe(true);
      expect(chargeOf(budget, nanoUsd(most + 1n)) > left).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(affordable(balance(100), nanoUsd(-5n))).toBe(nanoUsd(0n));
});

test("the narrowest balance is the key's, then the project's, then the organization's", () => {
  const account = (kind: "key" | "project" | "organization", id: string): CreditAccount => ({
    id: `${kind} ${id}`,
    organizationId: "o",
    createdAt: 0,
    scope: { kind, id },
    markupBasisPoints: 0,
  });
  const call = { organizationId: "o", projectId: "p", keyId: "k" };
  const among = (...accounts: CreditAccount[]) =>
    narrowestAccount(call, ({ kind, id }) => accounts.find(({ scope }) => scope.kind === kind && scope.id === id))?.id;
  expect(among(account("organization", "o"), account("key", "k"), account("project", "p"))).toBe("key k");
  expect(among(account("organization", "o"), account("key", "other"), account("project", "p"))).toBe("project p");
  expect(among(account("organization", "o"))).toBe("organization o");
  expect(among()).toBeUndefined();
});
