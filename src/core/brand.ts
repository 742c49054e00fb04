// The product's own names on the wire. A reseller replaces them with TOLLWAY_NAMESPACE and TOLLWAY_KEY_PREFIX.

export interface Brand {
  /** "tollway": the JSON extension's key and the middle of header names. */
  readonly namespace: string;
  /** "tw": what keys begin with. */
  readonly keyPrefix: string;
}

export const TOLLWAY: Brand = { namespace: "tollway", keyPrefix: "tw" };

/** `x-<namespace>-<name>`, in lower case. */
export const brandHeader = (brand: Brand, name: string): string => `x-${brand.namespace}-${name}`;
