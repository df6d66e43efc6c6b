import type { Meter, Meters, Usage } from '#terms';
import type { UsageContext, UsageObject } from './wire.ts';
import { asObject, asText, parseLoosely } from './loose-json.ts';

/** A count the provider left out or set to null is undefined, which is not zero. */
export type Count = number | undefined;

type Quantities = Readonly<Partial<Record<Meter, Count>>>;

/** Disjoint quantities of one usage object, and whether its parts and totals agree. */
export type Reading = { readonly meters: Quantities; readonly sound: boolean };

/** A usage object, and its text as it came. */
export type Given = { readonly object: UsageObject; readonly raw: string };

/** Takes JSON text or the parsed value. Null for what is no object: broken JSON says as little as no usage. */
export function readGiven(usage: unknown): Given | null {
  if (typeof usage === 'string') {
    const object = asObject(parseLoosely(usage));
    return object === null ? null : { object, raw: usage };
  }
  const object = asObject(usage);
  return object === null ? null : { object, raw: JSON.stringify(usage) };
}

/**
 * Reads the counts of one usage object. One that is no count (negative, broken, a text, beyond 2^53) spoils the whole: half
 * an answer would be billed as if it were all of it.
 */
export class Counter {
  absurd = false;

  count(value: unknown): Count {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.absurd = true;
    return undefined;
  }

  /** Seconds need not be whole. */
  measure(value: unknown): Count {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
    this.absurd = true;
    return undefined;
  }
}

const NOTHING_CERTAIN: Reading = { meters: {}, sound: false };

/** The usage of a reading, with what the answer says around it. A spoiled reading keeps no meter, only the raw object. */
export function toUsage({ object, raw }: Given, read: Reading | 'absurd', context: UsageContext): Usage {
  const { meters, sound } = read === 'absurd' ? NOTHING_CERTAIN : read;
  const serviceTier = context.serviceTier ?? asText(object['service_tier']);
  const reportedCost = context.quirks.reportedCost?.(object) ?? context.reportedCost;
  const usage: { -readonly [key in keyof Usage]: Usage[key] } = { meters: present(meters), origin: 'reported', raw };
  if (serviceTier !== '') usage.serviceTier = serviceTier;
  if (context.geo !== undefined) usage.geo = context.geo;
  if (reportedCost !== undefined) usage.reportedCost = reportedCost;
  if (!sound) usage.inconsistent = true;
  return usage;
}

/** Usage that follows from the request, or from the answer around a usage object it does not have. */
export function usageWithout(meters: Meters, context: UsageContext): Usage {
  return toUsage({ object: {}, raw: '' }, { meters, sound: true }, context);
}

function present(quantities: Quantities): Meters {
  const meters: Partial<Record<Meter, number>> = {};
  let meter: keyof typeof quantities;
  for (meter in quantities) {
    const quantity = quantities[meter];
    if (quantity !== undefined) meters[meter] = quantity;
  }
  return meters;
}
