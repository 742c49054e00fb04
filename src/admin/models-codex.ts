// Codex's own list of models (`models` beside `data`): it refuses a document without it, and an entry that lacks one of these
// fields. The same document serves as its `model_catalog_json`. Shape: github.com/openai/codex, codex-rs/protocol/src/openai_models.rs
import type { ModelInfo } from "../core/price";

/** What Codex tells a model about its work, where the model has no instructions of its own there. Codex demands one. */
const INSTRUCTIONS = [
  "You are a coding agent. You share a computer with the user, through the tools that you are given, and work until their task is done.",
  "Read the code before you change it, follow its style and the instructions in its AGENTS.md files, and change no more than the task needs.",
  "Use the shell to search, to edit files and to run what proves your change: tests, type checks, linters.",
  "Never undo changes that are not yours, and ask before anything that cannot be undone.",
  "End with a short summary: what you changed, what you checked, and what is left.",
].join("\n");

const LEVELS = [
  { effort: "low", description: "Fast, with little reasoning" },
  { effort: "medium", description: "Balanced" },
  { effort: "high", description: "Deep reasoning for hard problems" },
];

/** Tokens of a tool's output that Codex keeps. */
const OUTPUT_TOKENS_KEPT = 10_000;

export const writesText = (model: ModelInfo): boolean => model.outputModalities.includes("text");

export function codexEntry(
  model: Pick<ModelInfo, "id" | "displayName" | "contextWindow" | "inputModalities" | "capabilities">,
  priority: number,
): object {
  const reasons = model.capabilities.includes("reasoning");
  return {
    slug: model.id,
    display_name: model.displayName,
    description: null,
    ...(reasons ? { default_reasoning_level: "medium" } : {}),
    supported_reasoning_levels: reasons ? LEVELS : [],
    shell_type: "shell_command",
    visibility: "list",
    supported_in_api: true,
    priority,
    upgrade: null,
    base_instructions: INSTRUCTIONS,
    supports_reasoning_summaries: reasons,
    support_verbosity: false,
    default_verbosity: null,
    apply_patch_tool_type: null,
    truncation_policy: { mode: "tokens", limit: OUTPUT_TOKENS_KEPT },
    supports_parallel_tool_calls: model.capabilities.includes("tools"),
    context_window: model.contextWindow ?? null,
    experimental_supported_tools: [],
    input_modalities: ["text", "image"].filter((modality) => modality === "text" || model.inputModalities.includes(modality)),
  };
}
