// tollway usage: what was called and what it cost, grouped.
import { defineCommand } from "citty";
import type { AdminCall } from "./admin-call";
import { type Desk, data, json, organization, pairsOf, pathOf } from "./admin-flags";

interface Group {
  requests: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number;
  unpriced_attempts: number;
  [dimension: string]: unknown;
}

interface Page {
  data: Group[];
  total: Group;
  next_cursor: string | null;
}

export const usageCommand = (desk: Desk) =>
  defineCommand({
    meta: {
      name: "usage",
      description:
        "Calls, tokens and cost: group, requests, tokens in, tokens out, USD. tollway usage --group-by project --from 2026-11-01",
    },
    args: {
      "group-by": {
        type: "string",
        description: "model, provider, key, tag, user, agent, run, team, project, intent, tier, status, day or hour",
        default: "model",
      },
      from: { type: "string", description: "From here on: 2026-11-01, or a time" },
      to: { type: "string", description: "Until before" },
      filter: { type: "string", description: "Only these: project=proj_…,tag=batch" },
      test: { type: "boolean", description: "Test keys' calls, which count apart", default: false },
      organization,
      json,
      data,
    },
    async run({ args }) {
      const groupBy = args["group-by"];
      const mode = args.test ? "test" : undefined;
      const query = {
        ...pairsOf("--filter", args.filter),
        group_by: groupBy,
        from: args.from,
        to: args.to,
        mode,
        organization: args.organization,
      };
      const { groups, total } = await everyGroup(desk.admin(args), query);
      if (args.json) return desk.output.data(JSON.stringify({ group_by: groupBy, data: groups, total }));
      for (const group of groups) desk.output.data([group[groupBy] ?? "-", ...cells(group)].join("\t"));
      if (groups.length === 0) return desk.output.message("Nothing was called in that time.");
      const unpriced = total.unpriced_attempts > 0 ? `; ${total.unpriced_attempts} attempts have no price` : "";
      desk.output.message(`Total: ${total.requests} requests, ${total.cost_usd} USD${unpriced}.`);
    },
  });

const cells = ({ requests, input_tokens: input, output_tokens: out, cost_usd: cost }: Group): readonly unknown[] => [
  requests,
  input,
  out,
  cost,
];

async function everyGroup(
  call: AdminCall,
  query: Readonly<Record<string, string | undefined>>,
): Promise<{ groups: Group[]; total: Group }> {
  const groups: Group[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = (await call("GET", pathOf("/usage", { ...query, limit: "1000", cursor }))) as Page;
    groups.push(...page.data);
    if (page.next_cursor === null) return { groups, total: page.total };
    cursor = page.next_cursor;
  }
}
