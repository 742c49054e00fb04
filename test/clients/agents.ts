// Coding agents, headless: each does one task with a tool, through the gateway, at a provider of another dialect than its own.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer } from "../upstream/script";
import { type RecordedRequest, startUpstream, type Upstream } from "../upstream/upstream";
import { AGENT_ROWS, AGENTS_FOLDER, type Agent, agentEnvironment, binaryOf, type Task, type Visit } from "./agent-rows";
import { BUILD, type Gateway, startGateway } from "./gateway";
import { PROVIDERS, type ProviderUnderTest } from "./suite/harness";
import type { CaseResult } from "./suite/main";
import { refused, said, type UpstreamDialect } from "./suite/upstream-answers";

export const AGENTS: readonly string[] = AGENT_ROWS.map(({ name }) => name);

const TASK_DEADLINE_MS = 90_000;
const PROMPT = "Run the shell command that you find fitting, and tell me what it says.";
const MADE = "made-by-the-tool.txt";
const OUTPUT = "tollway-ok";
const COMMAND = `echo ${OUTPUT} > ${MADE} && cat ${MADE}`;
const FINAL: readonly [string, string] = ["The command says ", "TOLLWAY-DONE."];
const REFUSAL = "this provider does not care for your temperature";

interface Play {
  /** What the provider does with the answer that the task is about. */
  kind: "whole" | "broken" | "refused";
  agent: Agent;
  task: Task;
}

/** What every agent can do. */
const shellTask = (agent: Agent): Task => ({
  title: "a task with a tool",
  tool: new RegExp(`^${agent.tool}$`),
  input: agent.input(COMMAND),
  result: OUTPUT,
});

const toolNames = (body: string): string[] => [...body.matchAll(/"name":"([\w.-]+)"/g)].map((match) => match[1] ?? "");

/** The mark of a tool's result in a request body of each dialect. */
const RESULT_MARK: Readonly<Record<UpstreamDialect, string>> = {
  chat: '"role":"tool"',
  responses: "function_call_output",
  messages: '"type":"tool_result"',
  gemini: '"functionResponse"',
};

function dialectOf(path: string): UpstreamDialect {
  if (path.includes(":streamGenerateContent") || path.includes(":generateContent")) return "gemini";
  if (path.endsWith("/chat/completions")) return "chat";
  return path.endsWith("/responses") ? "responses" : "messages";
}

/** First the agent's shell tool is called, then its result is answered with text. Requests without tools (titles) get text at once. */
function answerFor({ kind, task }: Play, request: RecordedRequest): Answer {
  const dialect = dialectOf(request.path);
  const body = request.text();
  if (kind === "refused") return refused(dialect, 400, "invalid_request_error", REFUSAL);
  const tool = kind === "whole" && !body.includes(RESULT_MARK[dialect]) ? toolNames(body).find((name) => task.tool.test(name)) : undefined;
  const sample = said(dialect, tool === undefined ? { text: FINAL } : { tool, input: task.input });
  if (!request.stream) return sample.answers.whole;
  if (kind === "whole") return sample.answers.stream;
  return { ...sample.answers.stream, end: { kind: "clean-end", afterBytes: sample.headBytes } };
}

interface Ran {
  code: number | undefined;
  /** Of both streams. */
  output: string;
  made: string | undefined;
  requests: readonly RecordedRequest[];
  /** It asked again after a broken stream, and was not waited for: some agents go on for minutes. */
  retried: boolean;
}

/** Settles when the agent asks a second time with its tools; never before. */
async function askedAgain({ tool }: Agent, upstream: Upstream): Promise<void> {
  for (let order = 1, times = 0; times < 2; order++) if ((await upstream.request(order)).text().includes(`"${tool}"`)) times += 1;
}

/** One run of an agent in a home and a work folder of its own, both removed afterwards. */
async function runAgent(play: Play, model: string, { gateway, upstream, show }: Stage): Promise<Ran> {
  const home = mkdtempSync(join(tmpdir(), "tollway-agent-"));
  const work = join(home, "work");
  mkdirSync(work);
  const visit: Visit = { home, work, gateway: gateway.url, key: gateway.key, model, prompt: PROMPT };
  const { files, command, env } = play.agent.prepare(visit, play.task);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  upstream.forget();
  show(play);
  const [binary = "", ...rest] = command;
  const child = Bun.spawn([binaryOf(binary), ...rest], {
    cwd: work,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TASK_DEADLINE_MS,
    killSignal: "SIGKILL",
    env: agentEnvironment(home, env),
  });
  let retried = false;
  if (play.kind === "broken") {
    void askedAgain(play.agent, upstream).then(() => {
      retried = child.exitCode === null;
      child.kill("SIGKILL");
    });
  }
  try {
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    await child.exited;
    const made = join(work, MADE);
    return {
      code: child.exitCode ?? undefined,
      output: out + err,
      made: existsSync(made) ? readFileSync(made, "utf8").trim() : undefined,
      requests: [...upstream.requests],
      retried,
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What is wrong with a task that should have been done; undefined: nothing. */
function faultOfTask({ task, agent }: Play, { code, output, made, requests }: Ran, upstream: Upstream): string | undefined {
  if (upstream.problems.length > 0) return `the upstream: ${upstream.problems.join("; ")}`;
  if (code !== 0) return `exit code ${code}`;
  if (task.tool.test(agent.tool) && made !== OUTPUT) return `the tool did not run: the file says ${made}`;
  const carries = (request: RecordedRequest): boolean => {
    const body = request.text();
    return body.includes(RESULT_MARK[dialectOf(request.path)]) && body.includes(task.result);
  };
  if (!requests.some(carries)) return "its result did not reach the provider";
  return output.includes(FINAL.join("")) ? undefined : "the last answer is not in the output";
}

/** A broken stream or a refusal must be told, and never look like a task that was done. */
function faultOfFailure({ kind }: Play, { code, output, requests, retried }: Ran): string | undefined {
  if (requests.length === 0) return "nothing reached the provider";
  if (kind === "refused") return output.includes(REFUSAL) ? undefined : "our words are not in the output";
  if (output.includes(FINAL.join(""))) return "the whole answer is in the output";
  if (retried || code !== 0) return undefined;
  return /error|failed|broke|ended before|disconnect|interrupt/i.test(output) ? undefined : "a broken stream was taken for a success";
}

interface Stage {
  gateway: Gateway;
  upstream: Upstream;
  show(play: Play): void;
}

async function runCase(name: string, play: Play, model: string, stage: Stage): Promise<CaseResult> {
  const began = performance.now();
  const ran = await runAgent(play, model, stage);
  const fault = play.kind === "whole" ? faultOfTask(play, ran, stage.upstream) : faultOfFailure(play, ran);
  const ms = Math.round(performance.now() - began);
  if (fault === undefined) return { sdk: play.agent.name, name, outcome: "passed", ms, error: undefined };
  const asked = ran.requests.map(({ method, path }) => `${method} ${path}`).join(", ");
  const error = `${fault}\nupstream: ${asked || "nothing"}\n${ran.output.slice(-2_000)}`;
  return { sdk: play.agent.name, name, outcome: "failed", ms, error };
}

async function install(): Promise<string | undefined> {
  const command = [process.execPath, "install", "--frozen-lockfile", "--silent"];
  const child = Bun.spawn(command, { cwd: AGENTS_FOLDER, stdio: ["ignore", "ignore", "pipe"] });
  const said = await new Response(child.stderr).text();
  return (await child.exited) === 0 ? undefined : said.trim().split("\n").at(-1);
}

function playsOf(agent: Agent): Play[] {
  const task = shellTask(agent);
  const done = [task, ...agent.more].map((one): Play => ({ kind: "whole", agent, task: one }));
  return [...done, { kind: "broken", agent, task }, { kind: "refused", agent, task }];
}

function titleOf({ kind, task }: Play): string {
  if (kind === "broken") return "a broken stream is an error";
  return kind === "refused" ? "a refusal shows the provider's words" : task.title;
}

/** Those of other dialects than the agent's own. */
const providersFor = (agent: Agent): ProviderUnderTest[] => PROVIDERS.filter(({ name }) => !agent.own.includes(name));

/** Every agent's cases. Agents that cannot be installed here (a gigabyte, some platforms) are visible skips. */
export async function runAgents(names: readonly string[], options: { source: boolean; only: string | undefined }): Promise<CaseResult[]> {
  const missing = await install();
  if (missing !== undefined) {
    const error = `not installed: ${missing}`;
    return names.map((sdk): CaseResult => ({ sdk, name: "a task with a tool", outcome: "skipped", ms: 0, error }));
  }
  let play: Play | undefined;
  const upstream = await startUpstream({ answer: (request) => (play === undefined ? undefined : answerFor(play, request)) });
  mkdirSync(BUILD, { recursive: true });
  const gateway = await startGateway(upstream.url, { source: options.source, log: "gateway-agents.log" });
  const stage: Stage = { gateway, upstream, show: (next) => (play = next) };
  const only = options.only === undefined ? undefined : new RegExp(options.only);
  const results: CaseResult[] = [];
  try {
    for (const agent of AGENT_ROWS.filter(({ name }) => names.includes(name))) {
      for (const { name: provider, model } of providersFor(agent)) {
        for (const one of playsOf(agent)) {
          const name = `${titleOf(one)} at ${provider} (${model})`;
          if (only?.test(name) ?? true) results.push(await runCase(name, one, model, stage));
        }
      }
    }
    return results;
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}
