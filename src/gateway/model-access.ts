// Which models a key may use, and the one name that is none: the router's own choice.
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { mayUseModel } from "../policy/access";

export const AUTO = "auto";

/** What is asked for. `auto` is nobody's model: its choice is made among the allowed ones. Throws 403 `model_not_allowed`. */
export function requireModel(key: ApiKey, model: string): void {
  if (model !== AUTO && !mayUseModel(key.policy.allowedModels, model)) throw notAllowed(key, model);
}

export const notAllowed = (key: ApiKey, model: string): Failure =>
  new Failure("model_not_allowed", `The key "${key.name}" may not use the model ${JSON.stringify(model.slice(0, 128))}.`, {
    param: "model",
  });
