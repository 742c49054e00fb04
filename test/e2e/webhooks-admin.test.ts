// Administrators of webhooks beside one another: which organization is meant, and changes at once.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type AdminDoor, adminDoor, type Json } from "./admin-door";
import { type RunningHouse, startHouse } from "./house";

const URL_OF_HOOK = "http://127.0.0.1:9/hook";

let house: RunningHouse;
let admin: AdminDoor;

beforeEach(async () => {
  house = await startHouse();
  admin = adminDoor(house);
  await house.ports.directory.putOrganization({ id: "org_2", name: "second", status: "active", createdAt: 1 });
});
afterEach(() => house.close());

const hook = (query = "", more: Json = {}): Promise<Json> => admin.post(`/webhooks${query}`, { url: URL_OF_HOOK, ...more });

describe("a webhook's organization", () => {
  test("is the query's as well as the body's, by its id or its name", async () => {
    for (const query of ["?organization=org_2", "?organization=second"]) expect(await hook(query)).toMatchObject({ organization: "org_2" });
    expect(await hook("?organization=second", { organization: "org_2" })).toMatchObject({ organization: "org_2" });
    expect(await hook()).toMatchObject({ organization: "default" });
    expect(house.ports.directory.list("webhook", "org_2")).toHaveLength(3);
    expect(house.ports.directory.list("webhook", "default")).toHaveLength(1);
  });

  test("is refused where it is not there, or where query and body name two", async () => {
    const body = { url: URL_OF_HOOK };
    expect(await admin.refused("POST", "/webhooks?organization=nobody", body)).toMatchObject({ status: 404, param: "organization" });
    expect(await admin.refused("POST", "/webhooks?organization=org_2", { ...body, organization: "default" })).toMatchObject({
      status: 400,
      param: "organization",
    });
    for (const { id } of house.ports.directory.organizations()) expect(house.ports.directory.list("webhook", id)).toEqual([]);
  });

  test("need not be named where an id is", async () => {
    const { id } = await hook("?organization=org_2");
    expect(await admin.get(`/webhooks/${id}`)).toMatchObject({ id, organization: "org_2" });
    expect(await admin.patch(`/webhooks/${id}`, { description: "seen" })).toMatchObject({ description: "seen" });
    expect(await admin.refused("GET", `/webhooks/${id}?organization=default`)).toMatchObject({ status: 404, param: "id" });
    expect(await admin.remove(`/webhooks/${id}`)).toMatchObject({ deleted: true });
  });
});

describe("changes of webhooks at once", () => {
  test("are all kept: a change beside a rotation loses neither", async () => {
    for (let n = 0; n < 10; n++) {
      const made = await hook();
      const before = house.ports.directory.get("webhook", String(made["id"]))?.sealedSecret;
      await Promise.all([
        admin.patch(`/webhooks/${made["id"]}`, { description: `change ${n}` }),
        admin.post(`/webhooks/${made["id"]}/rotate-secret`, {}),
      ]);
      const after = house.ports.directory.get("webhook", String(made["id"]));
      expect(after?.description).toBe(`change ${n}`);
      expect(after?.sealedSecret).not.toEqual(before);
    }
  });

  test("bring no removed one back", async () => {
    for (let n = 0; n < 10; n++) {
      const { id } = await hook();
      await Promise.all([
        admin.ask("PATCH", `/webhooks/${id}`, { description: "late", url: "http://127.0.0.1:9/other" }),
        admin.remove(`/webhooks/${id}`),
      ]);
      expect(house.ports.directory.get("webhook", String(id))).toBeUndefined();
    }
  });

  test("make no more of them than an organization may have", async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => admin.ask("POST", "/webhooks", { url: URL_OF_HOOK })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(house.ports.directory.list("webhook", "default")).toHaveLength(50);
  });
});
