import type { Dimensions } from '../../api/dimensions.ts';
import { formatCompact } from '../../money/quantity.ts';
import { asTagList, tagKeyOf } from '../../search/group-by.ts';
import type { Option } from '../../ui/picker.tsx';

const BUILT_IN: readonly Option[] = [
  { value: 'entity', label: 'Entity' },
  { value: 'model', label: 'Model' },
  { value: 'provider', label: 'Provider' },
  { value: 'key', label: 'Key' },
  { value: 'key.team', label: 'Team of the key' },
  { value: 'key.owner', label: 'Owner of the key' },
  { value: 'status', label: 'Status' },
  { value: 'cost_state', label: 'Cost state' },
  { value: 'route', label: 'Route' },
  { value: 'operation', label: 'Operation' },
  { value: 'cause', label: 'Cause of attempt' },
  { value: 'region', label: 'Region' },
  { value: 'service_tier', label: 'Service tier' },
  { value: 'kind', label: 'Kind of entry' },
  { value: 'label', label: 'Label' },
  { value: 'path', label: 'Path' },
];

const TAG = 'tags.';

/** What the picker marks as chosen: a tag is one choice, be its values shown as a list or as a tree. */
export function pickedDimension(by: string): string {
  const key = tagKeyOf(by);
  return key === undefined ? by : asTagList(key);
}

/** What the picker offers: the built-ins, then every tag key of the period, the one chosen always among them. */
export function dimensionOptions(dimensions: Dimensions | undefined, chosen: string): readonly Option[] {
  const tags = (dimensions?.data ?? []).filter((dimension) => dimension.group_by.startsWith(TAG));
  const known =
    tags.some((dimension) => dimension.group_by === chosen) || BUILT_IN.some((option) => option.value === chosen);
  return [
    ...BUILT_IN.map((option) => ({ ...option, group: 'Built in' })),
    ...tags.map((dimension) => tagOption(dimension.group_by, dimension.calls)),
    ...(known ? [] : [tagOption(chosen, undefined)]),
  ];
}

/** The name of a dimension where it stands alone: `Model`, `feature`. Tag keys are left as they are written. */
export function dimensionLabel(by: string): string {
  return tagKeyOf(by) ?? BUILT_IN.find((option) => option.value === by)?.label ?? by;
}

/** The same within a sentence: `model`, `feature`. */
export function dimensionWord(by: string): string {
  const key = tagKeyOf(by);
  if (key !== undefined) return key;
  return dimensionLabel(by).replace(/^./, (first) => first.toLowerCase());
}

export function tagKeysOf(dimensions: Dimensions | undefined): readonly string[] {
  return (dimensions?.data ?? []).flatMap(({ group_by }) =>
    group_by.startsWith(TAG) ? [group_by.slice(TAG.length)] : [],
  );
}

function tagOption(by: string, calls: number | null | undefined): Option {
  const option = { value: by, label: dimensionLabel(by), group: 'Tags' };
  return typeof calls === 'number' ? { ...option, detail: `${formatCompact(calls)} calls` } : option;
}
