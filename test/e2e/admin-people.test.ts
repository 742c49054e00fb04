// Organizations, teams, projects and their rate limits over the administrator's door.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AdminDoor, adminDoor, type Json } from "./admin-door";
import { type RunningHouse, startHouse } from "./house";

let house: RunningHouse;
let admin: AdminDoor;
let acme: string;

beforeAll(async () => {
  house = await startHouse();
  admin = adminDoor(house);
  acme = String((await admin.post("/organizations", { name: "acme" }))["id"]);
});
afterAll(() => house.close());

/** The events of an organization, oldest first, as "type resource". */
const deeds = async (organization = "default"): Promise<string[]> =>
  (await admin.all(`/events?organization=${organization}`)).map((event) => `${event["type"]} ${event["resource"]}`).reverse();

describe("organizations", () => {
  test("are made active, read, renamed and suspended, and each change is an event", async () => {
    const made = await admin.post("/organizations", { name: " globex " });
    expect(made).toMatchObject({ object: "organization", name: "globex", status: "active" });
    expect(String(made["id"])).toMatch(/^org_[0-9A-Za-z]{12}$/);
    expect(Date.parse(String(made["created_at"]))).toBeGreaterThan(0);
    const id = String(made["id"]);
    expect(await admin.get(`/organizations/${id}`)).toEqual(made);
    expect(await admin.patch(`/organizations/${id}`, { status: "suspended" })).toEqual({ ...made, status: "suspended" });
    expect(await admin.patch(`/organizations/${id}`, { name: "Globex" })).toEqual({ ...made, status: "suspended", name: "Globex" });
    expect(await deeds(id)).toEqual([`organization.created ${id}`, `organization.updated ${id}`, `organization.updated ${id}`]);
  });

  test("are listed newest first, page by page, with the one that was there from the start", async () => {
    for (let n = 0; n < 5; n++) await admin.post("/organizations", { name: `page ${n}` });
    const whole = await admin.all("/organizations");
    expect(await admin.all("/organizations", 2)).toEqual(whole);
    expect(whole.at(-1)).toMatchObject({ id: "default" });
    expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length);
  });

  test("are found by their name too, where a request names one", async () => {
    const team = await admin.post("/teams", { name: "by name", organization: "acme" });
    expect(team["organization"]).toBe(acme);
  });

  test.each<[string, string, string, unknown, number, string, string | null]>([
    ["no name", "POST", "/organizations", {}, 400, "missing_required_parameter", "name"],
    ["an empty name", "POST", "/organizations", { name: " " }, 400, "invalid_value", "name"],
    ["a name of control characters", "POST", "/organizations", { name: "a\u0007b" }, 400, "invalid_value", "name"],
    ["a name that is a number", "POST", "/organizations", { name: 7 }, 400, "invalid_type", "name"],
    ["a name of 129 characters", "POST", "/organizations", { name: "x".repeat(129) }, 400, "invalid_value", "name"],
    ["a name that is taken", "POST", "/organizations", { name: "acme" }, 400, "invalid_value", "name"],
    ["a name that is another's id", "POST", "/organizations", { name: "default" }, 400, "invalid_value", "name"],
    ["a status that is none", "POST", "/organizations", { name: "new", status: "dead" }, 400, "invalid_value", "status"],
    ["a field that it has not", "POST", "/organizations", { name: "new", nmae: "x" }, 400, "unsupported_parameter", "nmae"],
    ["a body that is a list", "POST", "/organizations", [], 400, "invalid_type", null],
    ["a body that is no JSON", "POST", "/organizations", "{", 400, "invalid_json", null],
    ["a key that stands twice", "POST", "/organizations", '{"name":"a1","name":"a2"}', 400, "invalid_json", "name"],
    ["an id that is not there", "GET", "/organizations/org_nothing", undefined, 404, "not_found", "id"],
    ["an id that is not there, to change", "PATCH", "/organizations/org_nothing", { name: "x" }, 404, "not_found", "id"],
    ["a page of none", "GET", "/organizations?limit=0", undefined, 400, "invalid_value", "limit"],
    ["a page of too many", "GET", "/organizations?limit=1001", undefined, 400, "invalid_value", "limit"],
    ["a cursor that is none", "GET", "/organizations?cursor=x", undefined, 400, "invalid_value", "cursor"],
  ])("refuse %s by its name, and nothing is written", async (_, method, path, body, status, code, param) => {
    const before = await admin.everything();
    expect(await admin.refused(method, path, body)).toMatchObject({ status, code, param });
    expect(await admin.everything()).toEqual(before);
  });

  test("of one name asked for at once are one", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => admin.ask("POST", "/organizations", { name: "at once" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...new Array<number>(7).fill(400)]);
  });
});

describe("teams and projects", () => {
  test("are made, read, renamed, moved and deleted, and each change is an event", async () => {
    const team = await admin.post("/teams", { name: "research" });
    const project = await admin.post("/projects", { name: "search", team: team["id"] });
    expect(team).toMatchObject({ object: "team", organization: "default" });
    expect(project).toMatchObject({ object: "project", team: team["id"], organization: "default" });
    expect([team, project].map(({ id }) => String(id).replace(/[0-9A-Za-z]{12}$/, ""))).toEqual(["team_", "proj_"]);
    expect(await admin.get(`/teams/${team["id"]}`)).toEqual(team);
    expect(await admin.get(`/projects/${project["id"]}`)).toEqual(project);
    expect(await admin.patch(`/projects/${project["id"]}`, { name: "find", team: null })).toEqual({ ...project, name: "find", team: null });
    expect(await admin.patch(`/projects/${project["id"]}`, { team: "research" })).toMatchObject({ team: team["id"] });
    expect(await admin.remove(`/projects/${project["id"]}`)).toEqual({ object: "project", id: project["id"], deleted: true });
    expect(await admin.remove(`/teams/${team["id"]}`)).toEqual({ object: "team", id: team["id"], deleted: true });
    expect((await admin.refused("GET", `/teams/${team["id"]}`)).status).toBe(404);
    const mine = (await deeds()).filter((deed) => deed.endsWith(String(team["id"])) || deed.endsWith(String(project["id"])));
    expect(mine.map((deed) => deed.split(" ")[0])).toEqual([
      "team.created",
      "project.created",
      "project.updated",
      "project.updated",
      "project.deleted",
      "team.deleted",
    ]);
  });

  test("are not deleted while something refers to them, and what does is named", async () => {
    const team = await admin.post("/teams", { name: "held" });
    const project = await admin.post("/projects", { name: "held", team: "held" });
    const key = await admin.post("/keys", { name: "holds", project: project["id"] });
    const budget = await admin.post("/budgets", { scope: `team:${team["id"]}`, limit_usd: 5, window: "day" });
    const ofTeam = await admin.refused("DELETE", `/teams/${team["id"]}`);
    expect(ofTeam).toMatchObject({ status: 400, code: "invalid_value", param: "id" });
    expect(ofTeam.message).toContain(`1 project (${project["id"]})`);
    expect(ofTeam.message).toContain(`1 budget (${budget["id"]})`);
    const ofProject = await admin.refused("DELETE", `/projects/${project["id"]}`);
    expect(ofProject.message).toContain(`1 key (${key["id"]})`);
    // A revoked key is never deleted, and holds nothing back.
    await admin.remove(`/keys/${key["id"]}`);
    await admin.remove(`/projects/${project["id"]}`);
    await admin.remove(`/budgets/${budget["id"]}`);
    await admin.remove(`/teams/${team["id"]}`);
  });

  test("of other organizations are not there for whoever names one", async () => {
    const team = await admin.post("/teams", { name: "theirs", organization: acme });
    for (const [method, body] of [["GET"], ["PATCH", { name: "x" }], ["DELETE"]] as const)
      expect(await admin.refused(method, `/teams/${team["id"]}?organization=default`, body)).toMatchObject({ status: 404, param: "id" });
    expect((await admin.all("/teams")).map(({ id }) => id)).not.toContain(team["id"]);
    expect((await admin.all(`/teams?organization=${acme}`)).map(({ id }) => id)).toContain(team["id"]);
    expect(await admin.refused("POST", "/projects", { name: "x", team: team["id"], organization: "default" })).toMatchObject({
      status: 404,
      param: "team",
    });
    // The same name is free in another organization.
    expect(await admin.post("/teams", { name: "theirs" })).toMatchObject({ organization: "default" });
  });

  test.each<[string, string, string, unknown, number, string, string]>([
    ["a team without a name", "POST", "/teams", {}, 400, "missing_required_parameter", "name"],
    ["a team's name that is taken", "POST", "/teams", { name: "taken" }, 400, "invalid_value", "name"],
    [
      "a team of an organization that is not there",
      "POST",
      "/teams",
      { name: "x", organization: "org_x" },
      404,
      "not_found",
      "organization",
    ],
    ["a query for an organization that is not there", "GET", "/teams?organization=org_x", undefined, 404, "not_found", "organization"],
    ["two organizations", "POST", "/teams?organization=default", { name: "x", organization: "acme" }, 400, "invalid_value", "organization"],
    ["a project of a team that is not there", "POST", "/projects", { name: "x", team: "team_x" }, 404, "not_found", "team"],
    ["a project of a team that is a number", "POST", "/projects", { name: "x", team: 5 }, 400, "invalid_type", "team"],
    ["a project's name that is taken", "POST", "/projects", { name: "taken" }, 400, "invalid_value", "name"],
    ["a project with a field that it has not", "POST", "/projects", { name: "x", budget: 5 }, 400, "unsupported_parameter", "budget"],
    ["a project that is not there", "GET", "/projects/proj_x", undefined, 404, "not_found", "id"],
  ])("refuse %s by its name, and nothing is written", async (_, method, path, body, status, code, param) => {
    for (const [list, name] of [
      ["/teams", "taken"],
      ["/projects", "taken"],
    ] as const)
      if (!(await admin.all(list)).some((one) => one["name"] === name)) await admin.post(list, { name });
    const before = await admin.everything();
    expect(await admin.refused(method, path, body)).toMatchObject({ status, code, param });
    expect(await admin.everything()).toEqual(before);
  });
});

describe("limits", () => {
  test("are made on a scope, changed, taken away one by one, and deleted", async () => {
    const team = await admin.post("/teams", { name: "limited" });
    const limit = await admin.post("/limits", { scope: `team:${team["id"]}`, rate_limit: 60, tpm_limit: 100_000 });
    expect(limit).toMatchObject({ object: "limit", scope: `team:${team["id"]}`, rate_limit: 60, tpm_limit: 100_000, concurrency: null });
    const path = `/limits/${limit["id"]}`;
    expect(await admin.patch(path, { concurrency: 5, tpm_limit: null })).toEqual({ ...limit, concurrency: 5, tpm_limit: null });
    expect(await admin.get(path)).toMatchObject({ rate_limit: 60, tpm_limit: null });
    expect(await admin.refused("PATCH", path, { concurrency: null, rate_limit: null })).toMatchObject({ param: "rate_limit" });
    expect(await admin.refused("POST", "/limits", { scope: `team:${team["id"]}`, concurrency: 1 })).toMatchObject({ param: "scope" });
    expect(await admin.remove(path)).toEqual({ object: "limit", id: limit["id"], deleted: true });
  });

  test("stand on organizations, projects, users and agents too", async () => {
    const project = await admin.post("/projects", { name: "limited" });
    const scopes = ["organization", `organization:${acme}`, `project:${project["id"]}`, "user:alice", "agent:claude-code"];
    const made: Json[] = [];
    for (const scope of scopes) made.push(await admin.post("/limits", { scope, rate_limit: 1 }));
    expect(made.map(({ scope, organization }) => [scope, organization])).toEqual([
      ["organization:default", "default"],
      [`organization:${acme}`, acme],
      [`project:${project["id"]}`, "default"],
      ["user:alice", "default"],
      ["agent:claude-code", "default"],
    ]);
    // The same user's name is another's in another organization.
    expect(await admin.post("/limits", { scope: "user:alice", organization: acme, rate_limit: 1 })).toMatchObject({ organization: acme });
    for (const { id } of await admin.all("/limits")) await admin.remove(`/limits/${id}`);
  });

  test.each<[string, unknown, number, string, string]>([
    ["no scope", { rate_limit: 1 }, 400, "missing_required_parameter", "scope"],
    ["nothing to limit", { scope: "organization" }, 400, "missing_required_parameter", "rate_limit"],
    ["a scope that is none", { scope: "galaxy:1", rate_limit: 1 }, 400, "invalid_value", "scope"],
    ["a scope without an id", { scope: "team:", rate_limit: 1 }, 400, "invalid_value", "scope"],
    ["a team that is not there", { scope: "team:team_x", rate_limit: 1 }, 404, "not_found", "scope"],
    ["a key, which carries its own", { scope: "key:key_x", rate_limit: 1 }, 400, "invalid_value", "scope"],
    ["a run", { scope: "run:r1", rate_limit: 1 }, 400, "invalid_value", "scope"],
    ["a user's name that no call can carry", { scope: "user:al ice", rate_limit: 1 }, 400, "invalid_value", "scope"],
    ["a rate of none", { scope: "organization", rate_limit: 0 }, 400, "invalid_value", "rate_limit"],
    ["a rate below none", { scope: "organization", rate_limit: -1 }, 400, "invalid_value", "rate_limit"],
    ["half a request", { scope: "organization", rate_limit: 1.5 }, 400, "invalid_value", "rate_limit"],
    ["a rate that is text", { scope: "organization", tpm_limit: "60" }, 400, "invalid_type", "tpm_limit"],
    ["a concurrency beyond reason", { scope: "organization", concurrency: 1e12 }, 400, "invalid_value", "concurrency"],
  ])("refuse %s by its name, and nothing is written", async (_, body, status, code, param) => {
    const before = await admin.everything();
    expect(await admin.refused("POST", "/limits", body)).toMatchObject({ status, code, param });
    expect(await admin.everything()).toEqual(before);
  });
});
