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

  /** A store that takes its time to write and none to remove: a removal overtakes the change that came before it. */
  const slowHouse = () =>
    startHouse({
      adapt: (ports) => {
        const { directory } = ports;
        const put = directory.put.bind(directory);
        directory.put = async (kind, record) => {
          await Bun.sleep(60);
          await put(kind, record);
        };
        return ports;
      },
    });

  test("bring no removed one back: neither an administrator's change nor an endpoint that says that it is gone", async () => {
    const slow = await slowHouse();
    const gone = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(null, { status: 410 }) });
    const door = adminDoor(slow);
    for (const change of [
      (id: unknown) => door.ask("PATCH", `/webhooks/${id}`, { description: "late" }),
      (id: unknown) => door.ask("POST", `/webhooks/${id}/test`),
    ]) {
      const { id } = await door.post("/webhooks", { url: `http://127.0.0.1:${gone.port}/hook` });
      const changing = change(id);
      await Bun.sleep(30);
      await door.remove(`/webhooks/${id}`);
      await changing;
      expect(slow.ports.directory.get("webhook", String(id))).toBeUndefined();
    }
    await gone.stop(true);
    await slow.close();
  });

  test("make no more of them than an organization may have", async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => admin.ask("POST", "/webhooks", { url: URL_OF_HOOK })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(house.ports.directory.list("webhook", "default")).toHaveLength(50);
  });
});
