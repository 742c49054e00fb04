// Whether a model that no catalogue lists would still find its provider.
import { PROVIDERS } from "../providers/registry";

/** True where a provider's family takes ids that begin like this one. */
export const isOfFamily = (id: string): boolean => PROVIDERS.some(({ families }) => families.some((family) => family.test(id)));
