// Every price that a ledger row names is kept whole, so that `doctor` can compute an old cost again from our own figures.
import { type NanoUsdPerMillion, perMillion } from "../core/money";
import type { Log, Prices } from "../core/ports";
import type { Price, PriceTier, Rates } from "../core/price";
import type { ReadBackend } from "./backend";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

type Figures = Pick<Price, "rates" | "tiers" | "serviceTiers" | "feesPerThousand">;

/** The figures as JSON; integers as decimal strings. */
export function figuresText(price: Price): string {
  const figures: Figures = {
    rates: price.rates,
    tiers: price.tiers,
    serviceTiers: price.serviceTiers,
    feesPerThousand: price.feesPerThousand,
  };
  return JSON.stringify(figures, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

type Texts = Readonly<Record<string, string>>;
interface TextTier {
  aboveInputTokens: number;
  rates: Texts;
}
interface TextFigures {
  rates: Texts;
  tiers: readonly TextTier[];
  serviceTiers: Readonly<Record<string, { rates: Texts; tiers: readonly TextTier[] }>>;
  feesPerThousand: Texts;
}

const integers = (texts: Texts): Record<string, NanoUsdPerMillion> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, perMillion(BigInt(text))]));
// The names were written by figuresText from a `Rates`.
const ratesOf = (texts: Texts): Rates => integers(texts) as unknown as Rates;
const tiersOf = (tiers: readonly TextTier[]): PriceTier[] =>
  tiers.map((tier) => ({ aboveInputTokens: tier.aboveInputTokens, rates: ratesOf(tier.rates) }));

/** The reverse of `figuresText`. */
export function figuresOf(text: string): Figures {
  const figures = JSON.parse(text) as TextFigures;
  return {
    rates: ratesOf(figures.rates),
    tiers: tiersOf(figures.tiers),
    serviceTiers: Object.fromEntries(
      Object.entries(figures.serviceTiers).map(([name, tier]) => [name, { rates: ratesOf(tier.rates), tiers: tiersOf(tier.tiers) }]),
    ),
    feesPerThousand: integers(figures.feesPerThousand),
  };
}

/** The kept versions. */
export class PriceRecord {
  readonly #writer: Writer;
  readonly #reader: Pick<ReadBackend, "price">;
  readonly #now: () => number;
  readonly #log: Log;
  /** Versions that are written or on their way. */
  readonly #known: Set<string>;

  constructor(known: readonly string[], writer: Writer, reader: Pick<ReadBackend, "price">, now: () => number, log: Log) {
    this.#known = new Set(known);
    this.#writer = writer;
    this.#reader = reader;
    this.#now = now;
    this.#log = log;
  }

  /** Writes the version down if it is new. In the queue it stands before any hold that is opened after this call. */
  keep(price: Price): void {
    if (this.#known.has(price.version)) return;
    this.#known.add(price.version);
    this.#writer.submitKept({ type: "price", price, keptAt: this.#now() }).catch((error: unknown) => {
      this.#known.delete(price.version);
      this.#log.write("error", "store.price_not_kept", { version: price.version, cause: String(error) });
    });
  }

  /** The price that a ledger row names. */
  read(version: string): Promise<Price | undefined> {
    return this.#reader.price(version).catch((error: unknown) => {
      throw storageFailure(error);
    });
  }

  /** The same prices, each kept at the moment it is asked for to price a call. */
  keeping(prices: Prices): Prices {
    return {
      price: (provider, model, at) => {
        const price = prices.price(provider, model, at);
        if (price !== undefined) this.keep(price);
        return price;
      },
      models: (provider, at) => prices.models(provider, at),
      model: (provider, id, at) => prices.model(provider, id, at),
    };
  }
}
